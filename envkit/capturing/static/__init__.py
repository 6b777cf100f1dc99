"""What a model needs as far as its files tell, without running anything of it."""
