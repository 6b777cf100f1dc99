"""What the later stages find: resolving, auditing, rebuilding, leaving out, comparing."""
