"""Argon2id with OWASP's smaller parameters (t=2, m=19 MiB, p=1), off the event loop and a few at a time."""

import asyncio
import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.members.people.rules import normalise_password

_TIME_COST = 2
_MEMORY_KIB = 19 * 1024
_PARALLELISM = 1


class Passwords:
    """Makes and checks password hashes; more than `at_once` wait their turn, so sign-ins cannot starve the rest."""

    def __init__(self, *, at_once: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_PARALLELISM, type=Type.ID
        )
        self._turns = asyncio.Semaphore(at_once)
        self._nobodys_hash = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """The hash to store, with its own salt and parameters inside."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, normalise_password(password))

    async def check(self, *, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one. With none stored it costs the same and is never right,

        so that the time to answer does not tell which e-mail addresses are known.
        """
        async with self._turns:
            right = await asyncio.to_thread(self._verify, stored or self._nobodys_hash, normalise_password(password))
        return right and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
