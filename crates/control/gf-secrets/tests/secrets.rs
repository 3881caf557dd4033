//! Secrets are kept, rotated and revealed as promised, and nothing else is ever told of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Room, moment, name, secret};
use gf_model::{InstanceId, instance::InstanceState};
use gf_secrets::{Plain, Purpose, Scope, SecretsError};
use gf_store::AuditQuery;

#[tokio::test]
async fn a_secret_reaches_the_instance_it_is_for() {
    let room = Room::new().await;
    let listed = room.set("acct-0001", "telegram/bot-token", "hunter2").await.unwrap();
    assert_eq!(listed.version, 1);
    let revealed = room.reveal("acct-0001", "telegram/bot-token").await.unwrap();
    assert_eq!((revealed.version, revealed.plain.expose_str().unwrap()), (1, "hunter2"));

    let rows = room.store.audit(AuditQuery::default()).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| row.entry.action.as_str()).collect();
    assert_eq!(told, ["secret.revealed", "secret.set"], "each use stands in the audit trail");
    assert_eq!(rows[0].entry.targets, ["acct-0001", "i-0001"]);
    assert_eq!(rows[0].entry.detail["secret"], "telegram/bot-token");
}

#[tokio::test]
async fn another_accounts_instance_gets_nothing() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "hunter2").await.unwrap();
    let ask = async |node: &str, instance: &str| {
        let purpose = Purpose::Instance { node: node.parse().unwrap(), instance: instance.parse().unwrap() };
        let scope = Scope::Account("acct-0001".parse().unwrap());
        room.secrets.reveal_for(room.by(), &purpose, &scope, &name("irc/password")).await
    };
    for (node, instance, why) in [
        ("node-a", "i-0002", "it belongs to acct-0002"),
        ("node-a", "i-9999", "there is no such instance"),
        ("node-b", "i-0001", "it is not on node-b"),
    ] {
        let refused = ask(node, instance).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    room.store
        .update(|fleet, tx| {
            let mut gone = fleet.instances[&"i-0001".parse::<InstanceId>().unwrap()].clone();
            gone.state = InstanceState::TearingDown;
            tx.put(gone);
        })
        .await
        .unwrap();
    let refused = ask("node-a", "i-0001").await.unwrap_err().to_string();
    assert!(refused.contains("it is TEARING_DOWN"), "{refused}");

    let to_itself = Purpose::ControlPlane("reading along");
    let scope = Scope::Account("acct-0001".parse().unwrap());
    let refused = room.secrets.reveal_for(room.by(), &to_itself, &scope, &name("irc/password")).await;
    assert!(matches!(refused, Err(SecretsError::NotTheirs { .. })));
    let rows =
        room.store.audit(AuditQuery { action: Some("secret.revealed".into()), ..AuditQuery::default() });
    assert_eq!(rows.await.unwrap(), [], "nothing was revealed");
}

#[tokio::test]
async fn the_fleets_own_secrets_serve_the_control_plane() {
    let room = Room::new().await;
    let plain = Plain::new("whsec");
    room.secrets.set(room.by(), &Scope::Fleet, &name("companion/webhook"), plain).await.unwrap();
    let purpose = Purpose::ControlPlane("signing a webhook");
    let revealed = room
        .secrets
        .reveal_for(room.by(), &purpose, &Scope::Fleet, &name("companion/webhook"))
        .await
        .unwrap();
    assert_eq!(revealed.plain.expose(), b"whsec");
}

#[tokio::test]
async fn rotation_keeps_the_old_version_until_the_new_one_is_confirmed() {
    let room = Room::new().await;
    for value in ["one", "two"] {
        room.set("acct-0001", "irc/password", value).await.unwrap();
    }
    // A name that begins like another is another.
    room.set("acct-0001", "irc/password-old", "other").await.unwrap();
    let scope = Scope::Account("acct-0001".parse().unwrap());
    let versions = async || {
        let listed = room.secrets.list(&scope).await.unwrap();
        listed.into_iter().map(|one| (one.name.0, one.version)).collect::<Vec<_>>()
    };
    let both = [("irc/password".into(), 1), ("irc/password".into(), 2), ("irc/password-old".into(), 1)];
    assert_eq!(versions().await, both);
    assert_eq!(room.reveal("acct-0001", "irc/password").await.unwrap().plain.expose(), b"two");
    let old = room.reveal_version("acct-0001", "irc/password", 1);
    assert_eq!(old.await.unwrap().plain.expose(), b"one", "the way back is open");

    let unknown = room.secrets.confirm(room.by(), &scope, &name("irc/password"), 3).await;
    assert!(matches!(unknown, Err(SecretsError::UnknownVersion { version: 3, .. })));
    assert_eq!(room.secrets.confirm(room.by(), &scope, &name("irc/password"), 2).await.unwrap(), 1);
    assert_eq!(versions().await, both[1..]);
    let erased = room.reveal_version("acct-0001", "irc/password", 1);
    assert!(matches!(erased.await, Err(SecretsError::UnknownVersion { .. })));
    assert_eq!(room.set("acct-0001", "irc/password", "three").await.unwrap().version, 3);
}

#[tokio::test]
async fn version_one_is_not_version_twelve() {
    let room = Room::new().await;
    for value in 1..=12 {
        room.set("acct-0001", "irc/password", &value.to_string()).await.unwrap();
    }
    assert_eq!(room.reveal("acct-0001", "irc/password").await.unwrap().plain.expose(), b"12");
    let first = room.reveal_version("acct-0001", "irc/password", 1);
    assert_eq!(first.await.unwrap().plain.expose(), b"1");
}

#[tokio::test]
async fn an_erased_secret_is_gone() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "one").await.unwrap();
    room.set("acct-0001", "irc/password", "two").await.unwrap();
    let scope = Scope::Account("acct-0001".parse().unwrap());
    assert_eq!(room.secrets.erase(room.by(), &scope, &name("irc/password")).await.unwrap(), 2);
    assert_eq!(room.secrets.list(&scope).await.unwrap(), []);
    let again = room.secrets.erase(room.by(), &scope, &name("irc/password")).await;
    assert!(matches!(again, Err(SecretsError::Unknown { .. })));
}

#[tokio::test]
async fn at_once_set_secrets_get_numbers_of_their_own() {
    let room = Room::new().await;
    let setting: Vec<_> = (0..16)
        .map(|value| {
            let room = room.clone();
            tokio::spawn(async move { room.set("acct-0001", "irc/password", &value.to_string()).await })
        })
        .collect();
    let mut versions = Vec::new();
    for one in setting {
        versions.push(one.await.unwrap().unwrap().version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=16).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_name_or_no_value_is_refused() {
    let room = Room::new().await;
    for bad in ["", "a#1", "../x", "a//b", "/a", "a/", "A", "a b", ".a", &"x".repeat(65)] {
        let refused = room.set("acct-0001", bad, "value").await;
        assert!(matches!(refused, Err(SecretsError::BadName { .. })), "{bad:?} was taken");
    }
    for bad in ["", &"x".repeat(64 * 1024 + 1)] {
        let refused = room.set("acct-0001", "a", bad).await;
        assert!(matches!(refused, Err(SecretsError::BadSize { .. })), "{} bytes were taken", bad.len());
    }
    assert_eq!(room.secrets.list(&Scope::Account("acct-0001".parse().unwrap())).await.unwrap(), []);
}

#[tokio::test]
async fn no_word_of_a_value_is_told() {
    let room = Room::new().await;
    room.set("acct-0001", "irc/password", "correct-horse").await.unwrap();
    let revealed = room.reveal("acct-0001", "irc/password").await.unwrap();
    assert_eq!(format!("{:?}", revealed.plain), "[secret]");
    assert_eq!(format!("{revealed:?}"), "Revealed { version: 1, plain: [secret] }");
    assert_eq!(format!("{:#?}", secret("correct-horse")), "[secret]");

    let scope = Scope::Account("acct-0001".parse().unwrap());
    let listed = room.secrets.list(&scope).await.unwrap();
    let json = serde_json::to_value(&listed[0]).unwrap();
    let expected = serde_json::json!({
        "scope": "acct-0001", "name": "irc/password", "version": 1, "createdAt": moment().to_string(),
    });
    assert_eq!(json, expected, "a listing holds these and nothing more");
    let rows = room.store.audit(AuditQuery::default()).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains("correct-horse"));
}
