"""The few things we ask GitHub, through PyGithub."""
