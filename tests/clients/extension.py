"""The extension `uuid-ossp`, which the wheel of PostgreSQL lacks, with the one function in use."""

from __future__ import annotations

from sync.environments import Environment

FILES = {
    "uuid-ossp.control": "default_version = '1.1'\nrelocatable = true\n",
    "uuid-ossp--1.1.sql": (
        "CREATE FUNCTION uuid_generate_v4() RETURNS uuid\n"
        "LANGUAGE sql VOLATILE AS 'SELECT gen_random_uuid()';\n"
    ),
}


def add_uuid(environment: Environment) -> None:
    """Let `CREATE EXTENSION "uuid-ossp"` be possible in an environment's PostgreSQL."""
    beside = next(environment.path.glob("lib/**/share/postgresql/extension/plpgsql.control"))
    for name, content in FILES.items():
        if not (file := beside.with_name(name)).exists():
            file.write_text(content, encoding="utf-8")
