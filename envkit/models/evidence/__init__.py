"""Questions that the evidence of a capture answers: why, which system packages, an SBOM."""
