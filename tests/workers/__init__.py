"""Many runs on several workers, which are killed at random moments until all runs are over."""
