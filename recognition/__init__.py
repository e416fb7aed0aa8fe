"""Names on photos, videos and live cameras: sources, tracks, identity votes, overlay, events, the loop."""
