//! Whoever has the database, but not the key, can neither read nor swap a secret; a wrong key is called one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Machine, Room, master_key};
use gf_secrets::{Secrets, SecretsError};
use gf_store::FleetStore;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

/// Rewrites one stored secret as somebody with the database could.
async fn rewrite(room: &Room, id: &str, edit: impl FnOnce(&str) -> String) {
    let kept = room.store.sealed(id).await.unwrap();
    let edited = edit(&kept[0].sealed);
    assert_ne!(edited, kept[0].sealed);
    room.store.update(|_, tx| tx.put_sealed(id, edited)).await.unwrap();
}

const ID: &str = "secret/acct-0001/irc/password#1";

#[tokio::test]
async fn a_changed_ciphertext_is_never_taken_for_a_value() {
    for part in ["dataKey", "value"] {
        for field in ["nonce", "sealed"] {
            let room = Room::new().await;
            room.set("acct-0001", "irc/password", "hunter2").await.unwrap();
            rewrite(&room, ID, |json| {
                let mut envelope: serde_json::Value = serde_json::from_str(json).unwrap();
                let hex = envelope[part][field].as_str().unwrap();
                let flipped = if hex.starts_with('0') { "1" } else { "0" };
                envelope[part][field] = format!("{flipped}{}", &hex[1..]).into();
                envelope.to_string()
            })
            .await;
            let refused = room.reveal("acct-0001", "irc/password").await.unwrap_err();
            assert!(
                matches!(refused, SecretsError::Tampered { version: 1, .. }),
                "{part}.{field}: {refused}"
            );
        }
    }
}

#[tokio::test]
async fn a_changed_age_or_a_cut_envelope_is_seen() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "hunter2").await.unwrap();
    rewrite(&room, ID, |json| json.replace("2027-", "2026-")).await;
    let refused = room.reveal("acct-0001", "irc/password").await.unwrap_err();
    assert!(matches!(refused, SecretsError::Tampered { .. }), "{refused}");
    rewrite(&room, ID, |json| json[..json.len() / 2].to_owned()).await;
    let refused = room.reveal("acct-0001", "irc/password").await.unwrap_err();
    assert!(matches!(refused, SecretsError::Tampered { .. }), "{refused}");
}

#[tokio::test]
async fn a_secret_does_not_open_in_another_ones_place() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "mine").await.unwrap();
    room.set("acct-0001", "telegram/bot-token", "another name").await.unwrap();
    room.set("acct-0002", "irc/password", "another account").await.unwrap();
    room.set("acct-0001", "irc/password", "another version").await.unwrap();
    let others = [
        "secret/acct-0001/telegram/bot-token#1",
        "secret/acct-0002/irc/password#1",
        "secret/acct-0001/irc/password#1",
    ];
    for other in others {
        let swapped = room.store.sealed(other).await.unwrap().remove(0).sealed;
        rewrite(&room, "secret/acct-0001/irc/password#2", |_| swapped).await;
        let refused = room.reveal("acct-0001", "irc/password").await.unwrap_err();
        assert!(matches!(refused, SecretsError::Tampered { version: 2, .. }), "{other}: {refused}");
    }
}

#[tokio::test]
async fn a_wrong_a_lost_and_a_spoilt_key_are_told_apart() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "hunter2").await.unwrap();
    let key = master_key(room.home.path());
    let open = async || Secrets::open(room.store.clone(), &key, Arc::new(Machine)).await.err().unwrap();
    let right = fs::read(&key).unwrap();

    fs::write(&key, "00".repeat(32)).unwrap();
    let refused = open().await;
    assert!(matches!(&refused, SecretsError::KeyDoesNotFit { path } if *path == key), "{refused}");
    assert!(refused.to_string().contains("keys/master.key"), "{refused}");

    fs::write(&key, "not a key").unwrap();
    assert!(matches!(open().await, SecretsError::BadKey { path } if path == key));

    fs::remove_file(&key).unwrap();
    assert!(matches!(open().await, SecretsError::KeyGone { path } if path == key));
    assert!(!key.exists(), "a lost key is not replaced");

    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = open().await;
    assert!(matches!(refused, SecretsError::KeyIsOpen { mode: 0o640, .. }), "{refused}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let again = Secrets::open(room.store.clone(), &key, Arc::new(Machine)).await.unwrap();
    let room = Room { secrets: again, ..room };
    assert_eq!(room.reveal("acct-0001", "irc/password").await.unwrap().plain.expose(), b"hunter2");
}

#[tokio::test]
async fn secrets_outlive_a_restart_and_no_file_holds_them() {
    let room = Room::on_disk().await;
    room.set("acct-0001", "irc/password", "correct-horse-battery").await.unwrap();
    room.store.close().await;
    let home = room.home.clone();
    drop(room);
    let store = FleetStore::open_home(home.path(), &Machine).unwrap();
    let key = master_key(home.path());
    let secrets = Secrets::open(store.clone(), &key, Arc::new(Machine)).await.unwrap();
    let room = Room { home, store, secrets };
    let revealed = room.reveal("acct-0001", "irc/password").await.unwrap();
    assert_eq!(revealed.plain.expose(), b"correct-horse-battery");

    let files = files(room.home.path());
    assert!(files.iter().any(|file| file.ends_with("gatewayforge.db-wal")), "{files:?}");
    for file in &files {
        let bytes = fs::read(file).unwrap();
        let value = b"correct-horse-battery";
        assert!(!bytes.windows(value.len()).any(|window| window == value), "{}", file.display());
    }
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    room.store.close().await;
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
