//! Where the fleet page is.

use crate::api::Api;
use crate::output::{self, Paint, paint};
use crate::problem::Result;
use serde_json::json;

pub async fn page(api: &Api, as_json: bool) -> Result<()> {
    let reply = api.post("/v1/page/link", json!({})).await?;
    if as_json {
        output::json(&reply)
    } else {
        output::print(&output::cell(&reply["url"]));
        if output::on_terminal() {
            eprintln!("{}", paint("It lets one browser in, once, within two minutes.", Paint::Dim));
        }
    }
    Ok(())
}
