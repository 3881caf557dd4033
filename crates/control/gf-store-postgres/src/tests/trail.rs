//! What the database itself was made to say is seen: rows that were changed, hidden or cut.

use super::{server, store};
use gf_store::{What, contract::entry};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_was_changed_or_hidden_is_found() {
    let (cluster, url) = server();
    let store = store(&url);
    for second in 0..6 {
        store.update(|_, tx| tx.audit(entry("teardown", "acct-0001", second))).await.unwrap();
    }
    assert!(store.verify().await.unwrap().is_whole());
    let found =
        async || store.verify().await.unwrap().findings.into_iter().map(|one| one.what).collect::<Vec<_>>();

    cluster.sql("fleet", "UPDATE gatewayforge.audit SET action = 'noted' WHERE seq = 2");
    let hidden = found().await;
    assert_eq!(hidden.len(), 1, "{hidden:?}");
    cluster.sql("fleet", "UPDATE gatewayforge.audit SET action = 'teardown' WHERE seq = 2");
    cluster.sql("fleet", "DELETE FROM gatewayforge.audit_targets WHERE seq = 3");
    assert_eq!(found().await.len(), 1);
    cluster.sql("fleet", "INSERT INTO gatewayforge.audit_targets VALUES ('acct-0001', 3)");
    assert_eq!(found().await, Vec::<What>::new());

    cluster.sql("fleet", "UPDATE gatewayforge.audit SET entry_json = replace(entry_json, 'because', 'by chance') WHERE seq = 4");
    assert!(!found().await.is_empty());
    cluster.sql("fleet", "UPDATE gatewayforge.audit SET entry_json = replace(entry_json, 'by chance', 'because') WHERE seq = 4");
    assert_eq!(found().await, Vec::<What>::new());

    cluster.sql("fleet", "DELETE FROM gatewayforge.audit WHERE seq = 6");
    assert!(!found().await.is_empty(), "the running control plane remembers the row");
    let refused = store.update(|_, tx| tx.audit(entry("noted", "acct-0001", 7))).await.unwrap_err();
    assert!(refused.to_string().contains("does not follow"), "{refused}");
}
