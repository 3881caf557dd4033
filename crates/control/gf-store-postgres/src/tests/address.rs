//! What an operator may write, and where a password comes from.

use crate::{Address, BadAddress, Password, tls::Authorities};
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

pub fn private(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn place(url: &str) -> Result<String, BadAddress> {
    Address::parse(url).map(|address| address.place())
}

#[test]
fn an_address_is_whole_and_holds_no_password() {
    assert_eq!(place("postgres://gf@127.0.0.1/fleet").unwrap(), "postgres://gf@127.0.0.1:5432/fleet");
    assert_eq!(place("postgresql://gf@[::1]:6000/fleet").unwrap(), "postgres://gf@::1:6000/fleet");
    let socket = "postgres://gf@/run/postgresql/.s.PGSQL.5432/fleet";
    assert_eq!(place("postgres://gf@%2Frun%2Fpostgresql/fleet").unwrap(), socket);
    assert_eq!(place("postgres:///fleet?host=/run/postgresql&user=gf").unwrap(), socket);

    let refused = [
        ("host=localhost user=gf dbname=fleet", BadAddress::NotAnAddress),
        ("mysql://gf@localhost/fleet", BadAddress::NotAnAddress),
        ("postgres://gf@localhost:0x/fleet", BadAddress::NotAnAddress),
        ("postgres://gf:secret@localhost/fleet", BadAddress::HoldsPassword),
        ("postgres://gf@localhost/fleet?password=secret", BadAddress::HoldsPassword),
        ("postgres://localhost/fleet", BadAddress::Lacks("user")),
        ("postgres://gf@localhost", BadAddress::Lacks("database")),
        ("postgres:///fleet?user=gf", BadAddress::Lacks("host")),
        ("postgres://gf@localhost,127.0.0.2/fleet", BadAddress::SeveralHosts),
    ];
    for (url, why) in refused {
        let found = place(url).unwrap_err();
        assert_eq!(found, why, "{url}");
        assert!(!found.to_string().contains("secret"));
    }
}

#[test]
fn what_leaves_this_machine_is_encrypted_to_a_server_that_proves_its_name() {
    let vouched = |url: &str| Address::parse(url).map(|address| address.authorities);
    for here in [
        "postgres://gf@127.0.0.1/fleet",
        "postgres://gf@localhost/fleet?sslmode=disable",
        "postgres://gf@localhost/fleet?hostaddr=127.0.0.2",
        "postgres://gf@%2Frun%2Fpostgresql/fleet?sslmode=prefer",
    ] {
        assert_eq!(vouched(here), Ok(None), "{here}");
    }
    let system = [
        "postgres://gf@db.example.org/fleet",
        "postgres://gf@192.0.2.7/fleet?sslmode=verify-full",
        "postgres://gf@localhost/fleet?hostaddr=192.0.2.7",
        "postgres://gf@db.example.org/fleet?hostaddr=127.0.0.1",
        "postgres://gf@localhost/fleet?sslmode=verify-full&sslrootcert=system",
    ];
    for url in system {
        assert_eq!(vouched(url), Ok(Some(Authorities::System)), "{url}");
    }
    let file = Ok(Some(Authorities::File("/etc/c a.pem".into())));
    assert_eq!(vouched("postgres://gf@db/fleet?sslrootcert=/etc/c%20a.pem&connect_timeout=3"), file);
    assert_eq!(vouched("postgres://gf@127.0.0.1/fleet?sslrootcert=%2Fetc%2Fc a.pem"), file);

    let not_encrypted = |host: &str| BadAddress::NotEncrypted(host.into());
    let refused = [
        ("postgres://gf@db.example.org/fleet?sslmode=disable", not_encrypted("db.example.org")),
        ("postgres://gf@192.0.2.7/fleet?sslmode=prefer", not_encrypted("192.0.2.7")),
        ("postgres://gf@localhost/fleet?hostaddr=192.0.2.7&sslmode=allow", not_encrypted("localhost")),
        ("postgres://gf@db.example.org/fleet?sslmode=require", BadAddress::NotVerified),
        ("postgres://gf@localhost/fleet?sslmode=verify-ca", BadAddress::NotVerified),
        ("postgres://gf@%2Frun%2Fpostgresql/fleet?sslmode=verify-full", BadAddress::Socket),
        ("postgres://gf@%2Frun%2Fpostgresql/fleet?sslrootcert=/etc/ca.pem", BadAddress::Socket),
        ("postgres://gf@db.example.org/fleet?sslrootcert=ca.pem", BadAddress::NoFile),
        ("postgres://gf@db.example.org/fleet?sslrootcert=%FF", BadAddress::NotAnAddress),
    ];
    for (url, why) in refused {
        assert_eq!(vouched(url), Err(why), "{url}");
    }
}

#[test]
fn a_password_is_found_in_a_file_that_is_its_owners_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    private(&path, "korrekt pferd\n");
    let password = Password::from_file(&path).unwrap();
    assert_eq!(password.bytes(), b"korrekt pferd");
    assert_eq!(format!("{password:?}"), "Password([secret])");
    private(&path, "\n");
    assert!(Password::from_file(&path).unwrap_err().to_string().contains("is empty"));
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    assert!(Password::from_file(&path).unwrap_err().to_string().contains("chmod 600"));
    assert!(Password::from_file(directory.path().join("none").as_path()).is_err());

    let of = |text: &str, url: &str| {
        private(&path, text);
        let found = Password::from_pgpass(&path, &Address::parse(url).unwrap()).unwrap();
        found.map(|password| String::from_utf8(password.bytes().to_vec()).unwrap())
    };
    let lines = "# hosts\nlocalhost:5432:other:gf:one\nlocalhost:*:fleet:gf:t\\:w\\\\o\n*:*:*:*:three\n";
    assert_eq!(of(lines, "postgres://gf@localhost/fleet").as_deref(), Some("t:w\\o"));
    assert_eq!(
        of(lines, "postgres://gf@%2Frun%2Fpostgresql/fleet").as_deref(),
        Some("t:w\\o"),
        "libpq's name for it"
    );
    assert_eq!(of(lines, "postgres://ada@127.0.0.1/fleet").as_deref(), Some("three"));
    assert_eq!(of("localhost:1:fleet:gf:one\nhalf a line\n", "postgres://gf@localhost/fleet"), None);
}
