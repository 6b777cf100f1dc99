"""What images are built on."""
