"""Notices as a host tells them: each to every receiver, again while it fails, never for ever."""
