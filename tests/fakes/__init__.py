"""Stand-ins for what can't run here, faithful to its documentation."""
