"""The main job, played from beginning to end on data that the repository holds."""
