"""The store: one class per database, with one suite for all (tests/adapters/test_store.py)."""
