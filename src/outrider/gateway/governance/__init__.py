"""What a product must keep to be published, who may let something pass, and what the checks found."""
