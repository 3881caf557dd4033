//! What stands around the sections: the document, its looks, and the few lines of script that keep it live.

use super::sections::{Section, View};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

fn document(nonce: &str, title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

pub fn page(nonce: &str, view: &View, sections: &[Section]) -> Markup {
    let of = |id: &str| sections.iter().find(|section| section.id == id).map(|section| &section.markup);
    let column = |ids: &[&str]| html! { @for id in ids { @if let Some(markup) = of(id) { (markup) } } };
    let body = html! {
        a.skip href="#pairs" { "Skip to the pairs" }
        header.top {
            h1 { "ClawOps" span { "fleet" } }
            p #live role="status" { "connecting…" }
            form method="post" action="/leave" { button { "Sign out" } }
        }
        main {
            (column(&["headline"]))
            div.columns {
                div.wide {
                    (column(&["alerts", "approvals", "operations"]))
                    form.filter method="get" action="/" role="search" {
                        label for="q" { "Find pairs" }
                        input #q name="q" type="search" value=(view.q.as_deref().unwrap_or_default()) placeholder="account, instance, provider, state";
                        button { "Find" }
                    }
                    (column(&["pairs"]))
                }
                div.narrow { (column(&["cost", "providers", "audit"])) }
            }
        }
        footer { p { "Read-only. Changes are made by talking to Commander or with " code { "clawops" } "." } }
        script nonce=(nonce) { (PreEscaped(SCRIPT)) }
    };
    document(nonce, "ClawOps fleet", body)
}

pub fn sign_in(nonce: &str, why: Option<&str>) -> Markup {
    let body = html! {
        main.door {
            h1 { "ClawOps" span { "fleet" } }
            @if let Some(why) = why { p.bad role="alert" { (why) } }
            p { "Run " code { "clawops page" } " on this machine and open the link that it prints." }
            form method="post" action="/enter" {
                label for="key" { "Or sign in with your key" }
                input #key name="key" type="password" autocomplete="current-password" required autofocus;
                button { "Sign in" }
            }
            p.meta { "The first admin's key lies in " code { "keys/operator.key" } " of the home directory." }
        }
    };
    document(nonce, "ClawOps: sign in", body)
}
