"""Files with which others run models: Docker Compose, Kubernetes, systemd. One target a file."""
