"""Programs that run alone, each a single file: in another interpreter, or apart from envkit."""
