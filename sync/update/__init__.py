"""Moving to another release of upstream: `make sync`, and reports on any two releases.

`index` asks pip, `choose` picks the versions, `source`, `tests` and `api` compare two releases,
`suites` runs upstream's tests on both sides, `report` holds what was found and `text` words it,
`checkout` writes files together or not at all, `publish` hands the outcome to the code host.
"""
