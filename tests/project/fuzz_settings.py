"""The project's settings, for a server that is asked as often and as fast as can be."""

from project.settings import *  # noqa: F403 - all of them
from project.settings import API_THROTTLES

API_THROTTLES = dict.fromkeys(API_THROTTLES)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
