//! Whether the audit trail is whole, in a sentence and in full.

use super::words;
use gf_store::Verification;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    ok: bool,
    summary: String,
    #[serde(flatten)]
    verification: Verification,
}

impl Verified {
    pub fn of(verification: Verification) -> Self {
        let summary = if verification.is_whole() {
            format!(
                "The trail is whole: {}, signed up to row {} by {}.",
                words::count(verification.rows, "row", "rows"),
                verification.signed_up_to,
                words::count(verification.signed_heads, "head", "heads")
            )
        } else {
            let found: Vec<&str> =
                verification.findings.iter().map(|finding| finding.text.as_str()).collect();
            format!("THE TRAIL IS NOT WHOLE: {}.", words::list(&found, 5))
        };
        Self { ok: verification.is_whole(), summary, verification }
    }
}
