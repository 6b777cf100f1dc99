"""Stage `minimal`: each requirement is left out in turn, and the prediction tried again."""
