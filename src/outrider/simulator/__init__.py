"""The other side of the wire: vehicles that share the contract and the catalog with the platform, never its rules."""
