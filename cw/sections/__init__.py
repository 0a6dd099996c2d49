"""Every setting, by its section of config.toml: key, default, type and meaning."""
