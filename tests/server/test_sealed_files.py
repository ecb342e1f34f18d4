"""Work of a device that the server does not know, since it was put back from before its enrolment, comes as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.compose import backing
from sync.console import recovery
from sync.protocol import outbox_seal, sealing
from sync.protocol.errors import KnownError, Problem
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside, nobody_asks, problem_of


@pytest.fixture
def lost(inside: Inside, tmp_path: Path) -> Device:
    """A device that was enrolled after the backup, and has worked; its sealed outbox is a file."""
    inside.person("ana@example.com")
    backing.backup(inside.folders, tmp_path / "backup")
    device = inside.device("ana@example.com", "lost")
    device.add("customer", name="Accepted")
    device.sync()
    device.add("customer", name="Unsent")
    inside.store.close()
    backing.restore(inside.folders, tmp_path / "backup", replace=True)
    inside.open()
    device.send, device.session = inside.send, None
    with pytest.raises(Refusal) as refusal:
        device.exchange()
    assert problem_of(refusal) is Problem.UNKNOWN_DEVICE
    (tmp_path / "outbox.seal").write_bytes(device.sealed)
    return device


def given(device: Device) -> list[tuple[bytes, str]]:
    """Who made what was handed over to this device, and the name it gives."""
    papers = [paper for paper in device.ask().papers if paper.kind == "recovered"]
    parts = [
        outbox_seal.read_part(sealing.unseal(device.seal_key, sealing.RECOVERED, paper.data))
        for paper in papers
    ]
    return [(part.device, op.set["name"]) for part in parts for op in part.ops]


def test_its_work_goes_to_the_next_device_of_its_person_once(
    inside: Inside, lost: Device, tmp_path: Path
) -> None:
    again = inside.device("ana@example.com", "again")
    for fresh in (2, 0):
        told = recovery.recover_files(
            inside.office, inside.keys, nobody_asks, [tmp_path / "outbox.seal"], inside.view(again)
        )
        assert told == (2, fresh)
    assert given(again) == [(lost.device, "Accepted"), (lost.device, "Unsent")]
    with inside.store.read() as tx:
        assert tx.post.audit_lines()[-1].verb == f"recover files to {again.enrolment}"


def test_a_file_that_is_not_there_or_of_two_devices_is_told(
    inside: Inside, lost: Device, tmp_path: Path
) -> None:
    again = inside.device("ana@example.com", "again")
    with pytest.raises(KnownError, match="could not be read"):
        recovery.recover_files(
            inside.office, inside.keys, nobody_asks, [tmp_path / "nowhere"], inside.view(again)
        )
    again.add("customer", name="Another's")
    (tmp_path / "other").write_bytes(again.sealed)
    files = [tmp_path / "outbox.seal", tmp_path / "other"]
    with pytest.raises(KnownError, match="of another device"):
        recovery.recover_files(inside.office, inside.keys, nobody_asks, files, inside.view(again))
    assert given(again) == [(lost.device, "Accepted"), (lost.device, "Unsent")]
