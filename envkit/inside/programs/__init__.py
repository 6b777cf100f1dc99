"""Programs of one file each, which run in another interpreter or in their own process."""
