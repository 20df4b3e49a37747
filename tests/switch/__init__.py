"""The switch, in environments as users have them: the wheel alone, and beside upstream."""
