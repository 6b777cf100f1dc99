"""Programs that run alone, each a single file, in another interpreter or in a process of their own."""
