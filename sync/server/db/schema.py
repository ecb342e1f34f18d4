"""The tables of the SQLCipher store, as numbered steps that only go forward."""

from __future__ import annotations

from typing import Final

# Step n takes a store from user_version n-1 to n.
STEPS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch BLOB NOT NULL, seq INTEGER NOT NULL, order_number INTEGER NOT NULL
    );
    CREATE TABLE person (
        id BLOB PRIMARY KEY, email TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
        team TEXT NOT NULL, territory TEXT NOT NULL, scopes INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE former_rights (
        person BLOB NOT NULL, scopes INTEGER NOT NULL, role TEXT NOT NULL, team TEXT NOT NULL,
        PRIMARY KEY (person, scopes)
    ) WITHOUT ROWID;
    CREATE TABLE code (
        digest BLOB PRIMARY KEY, person BLOB NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
        enrolment TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE device (
        enrolment TEXT PRIMARY KEY, device BLOB NOT NULL UNIQUE, name TEXT NOT NULL, keyid TEXT NOT NULL UNIQUE,
        spki BLOB NOT NULL, sealing_key BLOB NOT NULL, person BLOB NOT NULL, platform TEXT NOT NULL,
        enrolled INTEGER NOT NULL, app_version TEXT NOT NULL, last_seen INTEGER NOT NULL,
        unsent INTEGER NOT NULL, locked INTEGER NOT NULL, wiped INTEGER NOT NULL, posture BLOB NOT NULL,
        share BLOB, share_sealed BLOB
    );
    CREATE TABLE record (
        id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, ver INTEGER NOT NULL UNIQUE, deleted INTEGER NOT NULL,
        scope_person BLOB NOT NULL, scope_team TEXT NOT NULL, owner TEXT NOT NULL, creator BLOB NOT NULL,
        device BLOB NOT NULL, incarnation BLOB NOT NULL, person TEXT NOT NULL, hlc INTEGER NOT NULL,
        cells BLOB NOT NULL, marks BLOB NOT NULL
    );
    CREATE INDEX record_owner ON record (owner) WHERE owner <> '';
    CREATE INDEX record_scope ON record (scope_person);
    CREATE TABLE change (
        seq INTEGER PRIMARY KEY, record BLOB NOT NULL, person_before BLOB, team_before TEXT,
        device BLOB NOT NULL, at INTEGER NOT NULL
    );
    CREATE INDEX change_record ON change (record, seq);
    CREATE TABLE conflict (
        id BLOB PRIMARY KEY, record BLOB NOT NULL, ver INTEGER NOT NULL, state TEXT NOT NULL, body BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX conflict_ver ON conflict (ver);
    CREATE INDEX conflict_record ON conflict (record);
    CREATE TABLE numbering (
        device BLOB NOT NULL, incarnation BLOB NOT NULL, acked_n INTEGER NOT NULL, echo_from INTEGER NOT NULL,
        retired INTEGER NOT NULL, PRIMARY KEY (device, incarnation)
    ) WITHOUT ROWID;
    CREATE TABLE opresult (
        device BLOB NOT NULL, incarnation BLOB NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (device, incarnation, n)
    ) WITHOUT ROWID;
    CREATE TABLE refused (
        device BLOB NOT NULL, incarnation BLOB NOT NULL, n INTEGER NOT NULL, person BLOB NOT NULL, at INTEGER NOT NULL,
        code TEXT NOT NULL, op BLOB NOT NULL, PRIMARY KEY (device, incarnation, n)) WITHOUT ROWID;
    CREATE TABLE origin (
        device BLOB NOT NULL, incarnation BLOB NOT NULL, n INTEGER NOT NULL,
        PRIMARY KEY (device, incarnation, n)
    ) WITHOUT ROWID;
    CREATE TABLE document (
        type TEXT NOT NULL, version INTEGER NOT NULL, envelope BLOB NOT NULL, PRIMARY KEY (type, version)
    );
    CREATE TABLE filed_order (
        seq INTEGER NOT NULL, enrolment TEXT NOT NULL, order_id TEXT NOT NULL, op TEXT NOT NULL,
        digest TEXT NOT NULL, envelope BLOB NOT NULL, reason TEXT NOT NULL, signers TEXT NOT NULL,
        filed INTEGER NOT NULL, not_before INTEGER NOT NULL, expires INTEGER NOT NULL,
        report TEXT NOT NULL, reported INTEGER NOT NULL, PRIMARY KEY (seq, enrolment)
    );
    CREATE INDEX order_device ON filed_order (enrolment, seq);
    CREATE TABLE receipt (
        enrolment TEXT PRIMARY KEY, receipt_id TEXT NOT NULL, envelope BLOB NOT NULL,
        received INTEGER NOT NULL, outbox_bytes INTEGER NOT NULL, outbox_records INTEGER NOT NULL, outbox BLOB NOT NULL
    );
    CREATE TABLE packet (
        id BLOB PRIMARY KEY, target TEXT NOT NULL, source BLOB NOT NULL, data BLOB NOT NULL,
        ops INTEGER NOT NULL, filed INTEGER NOT NULL, taken INTEGER NOT NULL
    );
    CREATE INDEX packet_target ON packet (target, taken);
    CREATE TABLE audit (
        n INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, verb TEXT NOT NULL,
        object TEXT NOT NULL, digest TEXT NOT NULL
    );
    """,
    # What a consent is about; one that was kept before this step joins its customer at its next change.
    """
    ALTER TABLE record ADD COLUMN subject BLOB NOT NULL DEFAULT x'';
    CREATE INDEX record_subject ON record (subject) WHERE subject <> x'';
    """,
    # Sealed outboxes come in pieces, before a receipt or without one; `sha256_hex` is lent by whoever migrates.
    """
    CREATE TABLE sealed_outbox (
        enrolment TEXT NOT NULL, sha256 TEXT NOT NULL, length INTEGER NOT NULL, records INTEGER NOT NULL,
        begun INTEGER NOT NULL, held INTEGER NOT NULL, whole INTEGER NOT NULL, PRIMARY KEY (enrolment, sha256)
    );
    CREATE TABLE sealed_piece (
        enrolment TEXT NOT NULL, sha256 TEXT NOT NULL, begins INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (enrolment, sha256, begins)
    );
    INSERT INTO sealed_outbox SELECT enrolment, sha256_hex(outbox), outbox_bytes, outbox_records, received,
        outbox_bytes, 1 FROM receipt WHERE outbox_bytes > 0;
    INSERT INTO sealed_piece SELECT enrolment, sha256_hex(outbox), 0, outbox FROM receipt WHERE outbox_bytes > 0;
    ALTER TABLE receipt DROP COLUMN outbox;
    """,
    # Ops are known by what they are, under whatever number. Those of before are not: repeated, they merge once more.
    """
    CREATE TABLE answered (print BLOB PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
    DROP TABLE origin;
    """,
    # Care classes are granted to people, and devices say how far they have read under which rights.
    """
    ALTER TABLE person ADD COLUMN granted TEXT NOT NULL DEFAULT '';
    ALTER TABLE former_rights ADD COLUMN granted TEXT NOT NULL DEFAULT '';
    ALTER TABLE device ADD COLUMN read_seq INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN read_scopes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device ADD COLUMN read_care INTEGER NOT NULL DEFAULT 3;
    """,
    # Histories that this one came from, and the backups that were verified.
    """
    CREATE TABLE history (epoch BLOB PRIMARY KEY, common INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE backup (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, made INTEGER NOT NULL);
    """,
    # Attached files: their encrypted bytes in pieces, and the records that ever named them.
    """
    CREATE TABLE blob (
        sha256 BLOB PRIMARY KEY, length INTEGER NOT NULL, held INTEGER NOT NULL, whole INTEGER NOT NULL,
        gone INTEGER NOT NULL, enrolment TEXT NOT NULL, begun INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX blob_device ON blob (enrolment);
    CREATE TABLE blob_piece (
        sha256 BLOB NOT NULL, begins INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (sha256, begins)
    );
    CREATE TABLE blob_named (
        sha256 BLOB NOT NULL, record BLOB NOT NULL, PRIMARY KEY (sha256, record)
    ) WITHOUT ROWID;
    """,
    # Territories count: whoever has one goes through everything anew. A record whose territory is null lies where its
    # customer does, which nobody has worked out yet (placing.py). And how far the log is folded, and when results came.
    """
    ALTER TABLE record ADD COLUMN territory TEXT;
    ALTER TABLE change ADD COLUMN territory_before TEXT;
    ALTER TABLE former_rights ADD COLUMN territory TEXT NOT NULL DEFAULT '';
    CREATE INDEX record_territory ON record (territory) WHERE subject = x'';
    CREATE INDEX record_unplaced ON record (ver) WHERE territory IS NULL;
    CREATE TABLE folded (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL, at INTEGER NOT NULL);
    ALTER TABLE opresult ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
    INSERT INTO former_rights (person, scopes, role, team, granted)
        SELECT id, scopes, role, team, granted FROM person WHERE role = 'rep' AND territory <> '';
    UPDATE person SET scopes = scopes + 1 WHERE role = 'rep' AND territory <> '';
    """,
    # What each device brings of a file lies apart until it is whole, so that nobody stands in another's way.
    """
    CREATE TABLE blob_brought (
        sha256 BLOB NOT NULL, enrolment TEXT NOT NULL, place BLOB NOT NULL, length INTEGER NOT NULL,
        held INTEGER NOT NULL, whole INTEGER NOT NULL, gone INTEGER NOT NULL, begun INTEGER NOT NULL,
        PRIMARY KEY (sha256, enrolment)
    ) WITHOUT ROWID;
    INSERT INTO blob_brought SELECT sha256, enrolment, sha256, length, held, whole, gone, begun FROM blob;
    DROP TABLE blob;
    ALTER TABLE blob_brought RENAME TO blob;
    CREATE INDEX blob_device ON blob (enrolment);
    ALTER TABLE blob_piece RENAME COLUMN sha256 TO place;
    """,
    # The web console: who may sign in, with what, who has, and which devices are put aside.
    """
    CREATE TABLE console_account (
        id BLOB PRIMARY KEY, person BLOB NOT NULL UNIQUE, password TEXT NOT NULL, totp BLOB NOT NULL,
        totp_last INTEGER NOT NULL, failed INTEGER NOT NULL, invite BLOB NOT NULL, invite_ends INTEGER NOT NULL,
        admin_id TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE console_passkey (
        id BLOB PRIMARY KEY, account BLOB NOT NULL, purpose TEXT NOT NULL, public BLOB NOT NULL, label TEXT NOT NULL,
        counter INTEGER NOT NULL, synced INTEGER NOT NULL, made INTEGER NOT NULL, used INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE console_visit (
        digest BLOB PRIMARY KEY, account BLOB NOT NULL, begun INTEGER NOT NULL, seen INTEGER NOT NULL,
        way TEXT NOT NULL, browser TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE put_aside (enrolment TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    """,
    # Shares of devices whose keys are turned, by epoch; 0 is the one of the enrolment. One without `share` is lost but
    # for the copy that is sealed to the recovery key.
    """
    CREATE TABLE share (
        enrolment TEXT NOT NULL, epoch INTEGER NOT NULL, share BLOB, share_sealed BLOB,
        PRIMARY KEY (enrolment, epoch)
    ) WITHOUT ROWID;
    INSERT INTO share SELECT enrolment, 0, share, share_sealed FROM device WHERE share IS NOT NULL;
    ALTER TABLE device DROP COLUMN share;
    ALTER TABLE device DROP COLUMN share_sealed;
    """,
    # Devices that travel read under rights of their own.
    """
    ALTER TABLE device ADD COLUMN travelling INTEGER NOT NULL DEFAULT 0;
    """,
    # Policies that are worked on at the console.
    """
    CREATE TABLE policy_draft (
        id TEXT PRIMARY KEY, body BLOB NOT NULL, base INTEGER NOT NULL, note TEXT NOT NULL, rev INTEGER NOT NULL,
        made INTEGER NOT NULL, author BLOB NOT NULL, changed INTEGER NOT NULL, editor BLOB NOT NULL
    ) WITHOUT ROWID;
    """,
    # What lay on devices that are wiped, as counts; of those that were wiped before, nobody knows it any more. And when
    # somebody left: 0 for whoever is there, and for those who left before it was kept.
    """
    CREATE TABLE lain (enrolment TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
    ALTER TABLE person ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;
    """,
)
VERSION: Final = len(STEPS)
