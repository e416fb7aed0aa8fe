"""Names on photos, videos and cameras: sources, tracking, events, overlays, the window, whole runs."""
