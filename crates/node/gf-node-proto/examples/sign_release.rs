//! Signs a gf-clawnode as a release and lays it where a control plane reads it:
//! `sign_release KEYFILE VERSION PROGRAM RELEASES` writes `RELEASES/VERSION/`. The key file holds an Ed25519 seed in
//! hexadecimal; where there is none it is made, readable by its owner only. Keep it off every control plane.

use ed25519_dalek::SigningKey;
use gf_node_proto::{Release, sign_release};
use sha2::{Digest, Sha256};
use std::{
    error::Error,
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [key, version, program, releases] = &args[..] else {
        return Err("usage: sign_release KEYFILE VERSION PROGRAM RELEASES".into());
    };
    let key = key_in(Path::new(key))?;
    let bytes = fs::read(program)?;
    let plain = Release {
        version: version.clone(),
        sha256: Sha256::digest(&bytes).to_vec(),
        size: bytes.len() as u64,
        signature: Vec::new(),
    };
    let release = sign_release(&key, plain);
    let directory = Path::new(releases).join(version);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("gf-clawnode"), &bytes)?;
    let described = format!(
        "{{\"version\": \"{version}\", \"sha256\": \"{}\", \"size\": {}, \"signature\": \"{}\"}}\n",
        hexed(&release.sha256),
        release.size,
        hexed(&release.signature)
    );
    fs::write(directory.join("release.json"), described)?;
    println!("{}", directory.display());
    println!("nodes believe it with: --release-key {}", hexed(key.verifying_key().as_bytes()));
    Ok(())
}

fn key_in(path: &Path) -> Result<SigningKey, Box<dyn Error>> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            let mut seed = [0; 32];
            fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
            file.write_all(hexed(&seed).as_bytes())?;
            Ok(SigningKey::from_bytes(&seed))
        }
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
            let text = fs::read_to_string(path)?;
            let seed: Option<Vec<u8>> = (0..text.trim().len() / 2)
                .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
                .collect();
            let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
            Ok(SigningKey::from_bytes(&seed.ok_or("the key file does not hold a seed of 32 bytes")?))
        }
        Err(why) => Err(why.into()),
    }
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
