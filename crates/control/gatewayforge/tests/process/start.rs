//! The process as it is started, refused and ended.

use crate::{
    node::Node,
    run::{Running, command, home, start, start_with},
};
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

fn refusal(output: Output) -> String {
    assert!(!output.status.success(), "it started");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_new_home_is_private_and_its_first_admin_can_come_in() {
    let (_directory, home) = home();
    let running = start(&home);
    for (path, mode) in
        [("", 0o700), ("keys", 0o700), ("keys/operator.key", 0o600), ("keys/plugin.key", 0o600)]
    {
        let found = fs::metadata(home.join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path} has {found:o}");
    }
    let key = fs::read_to_string(home.join("keys/operator.key")).unwrap();
    let me = running.get("/v1/people/me", key.trim());
    assert!(me.contains("person-operator") && me.contains("admin"), "{me}");
    let status = running.get("/v1/fleet/status", key.trim());
    assert!(status.contains("The fleet is empty"), "{status}");
    let said: serde_json::Value =
        serde_json::from_slice(&fs::read(home.join("run/gatewayforge.json")).unwrap()).unwrap();
    assert_eq!(said["pid"], running.ready["pid"]);

    assert_eq!(running.end(), 0, "it ends by itself when it is asked to");
    assert!(!home.join("run/gatewayforge.json").exists());
    let again = start(&home);
    assert_eq!(again.ready["generation"], 2);
    let kept = fs::read_to_string(home.join("keys/operator.key")).unwrap();
    assert_eq!(kept, key);
    assert!(again.get("/v1/people/me", key.trim()).contains("person-operator"));
}

#[test]
fn a_second_control_plane_on_the_same_state_is_refused() {
    let (_directory, home) = home();
    let running = start(&home);
    let said = refusal(command(&home).output().unwrap());
    assert!(
        said.contains("running control plane") && said.contains(&running.ready["pid"].to_string()),
        "{said}"
    );
    let key = fs::read_to_string(home.join("keys/operator.key")).unwrap();
    assert!(
        running.get("/v1/fleet/status", key.trim()).starts_with("HTTP/1.1 200"),
        "the first one serves on"
    );
}

#[test]
fn what_cannot_be_served_safely_is_refused() {
    let (_directory, home) = home();
    let open = command(&home).args(["--listen", "0.0.0.0:0"]).output();
    // The argument is given twice; the last one wins or the parser refuses: neither may listen.
    assert!(!refusal(open.unwrap()).is_empty());
    let mut everywhere = Command::new(env!("CARGO_BIN_EXE_gatewayforge"));
    let said = refusal(everywhere.arg("--home").arg(&home).args(["--listen", "0.0.0.0:0"]).output().unwrap());
    assert!(said.contains("--allow-remote"), "{said}");
    assert!(!home.exists(), "nothing was made for a start that was refused");

    fs::create_dir_all(home.join("store")).unwrap();
    fs::write(home.join("store/gatewayforge.db"), "this is no database, and somebody may still want it")
        .unwrap();
    let said = refusal(command(&home).output().unwrap());
    assert!(said.contains("gatewayforge.db"), "{said}");
    let kept = fs::read_to_string(home.join("store/gatewayforge.db")).unwrap();
    assert!(kept.starts_with("this is no database"), "it was overwritten");
}

#[test]
fn nodes_of_other_machines_are_heard_over_tls_where_that_was_asked_for_and_nobody_else_is() {
    let (_directory, home) = home();
    let link = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = link.local_addr().unwrap();
    let arguments = ["--node-listen", &at.to_string()];
    let taken = refusal(command(&home).args(arguments).output().unwrap());
    assert!(taken.contains(&at.to_string()), "another program holds it: {taken}");
    drop(link);

    let running = start_with(&home, &arguments);
    // Nothing of the API is behind that door, and whoever does not speak TLS hears nothing readable there.
    let mut plain = TcpStream::connect(at).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    let mut heard = Vec::new();
    let _ = plain.read_to_end(&mut heard);
    assert!(!String::from_utf8_lossy(&heard).contains("HTTP"), "{heard:?}");

    let far = Node::expected(&running, &home, "node-far", "local-a");
    let connected = |running: &Running| {
        running.until("the node is connected", || {
            let nodes = running.ask("GET", "/v1/nodes", json!(null)).1;
            let found = nodes["items"].as_array().unwrap().iter().find(|node| node["id"] == "node-far");
            found.filter(|node| node["connected"] == true).cloned()
        })
    };
    let node = far.start(&format!("wss://{at}/node/v1/link"));
    assert_eq!(connected(&running)["enrolling"], false, "its token is used up");

    // It finds its way back to the one that takes over, by the key and without the token.
    fs::remove_file(home.join("node-far.token")).unwrap();
    running.kill();
    let running = start_with(&home, &arguments);
    connected(&running);
    drop(node);
}
