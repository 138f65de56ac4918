"""Reports about the street: where they go to, and what they are about."""
