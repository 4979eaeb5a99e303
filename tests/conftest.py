"""What holds for all tests."""

from hypothesis import settings

# An example may take as long as the machine makes it take: a deadline would be a timed test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
