"""What platform and vehicles have agreed on: `asyncapi.yaml`. It is the source; both sides are tested against it."""
