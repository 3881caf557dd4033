//! The fleet page in a real Chromium, at no pair, at three and at 847, wide and at the width of a phone.
//!
//! `CLAWOPS_PAGE_PICTURES=<directory>` keeps what the browser showed.

use crate::support::{Door, chromium::Browser, fleet};
use gf_model::{
    fleet::{Change, Record},
    instance::{InstanceState, Role},
    operation::OperationState,
    provider::ProviderStatus,
};

const PHONE: (u32, u32) = (390, 844);
const DESK: (u32, u32) = (1280, 900);

/// Providers with long names, an unknown score and an incident: what makes a narrow table wide.
fn all_providers() -> Vec<Change> {
    let names = ["contabo", "digitalocean", "hostinger", "local-a", "local-b"];
    let more = names.map(|name| {
        let mut provider = fleet::provider(name);
        provider.score = None;
        if name == "digitalocean" {
            provider.status =
                ProviderStatus::Incident { title: "Networking in FRA1".to_owned(), regions: Vec::new() };
        }
        Change::from(provider)
    });
    more.into()
}

/// Nothing stands out of the card that it belongs to.
async fn nothing_sticks_out(browser: &mut Browser, name: &str) {
    let culprits = "[...document.querySelectorAll('.card, .tiles')].flatMap(c => [...c.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > c.getBoundingClientRect().right + 1).map(e => c.id + ': ' + e.tagName + ' ' + e.innerText)).slice(0, 5).join(' | ')";
    assert_eq!(browser.value(culprits).await, "", "{name}");
}

async fn no_sideways_scrolling(browser: &mut Browser, name: &str) {
    let overflow =
        browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    let culprit = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.className !== 'skip').map(e => e.tagName + '.' + e.className + '#' + e.id).slice(0, 5).join(' ')";
    assert_eq!(overflow, 0, "{name} scrolls sideways: {}", browser.value(culprit).await);
}

async fn text(browser: &mut Browser, selector: &str) -> String {
    let expression = format!("document.querySelector({selector:?})?.innerText ?? 'nothing is there'");
    browser.value(&expression).await.as_str().unwrap().to_owned()
}

async fn look(pairs: u32, changes: Vec<Change>) -> (Door, Browser) {
    let door = Door::open(changes).await;
    let mut browser = Browser::start().await;
    browser.zone("Europe/Berlin").await;
    browser.size(DESK.0, DESK.1, false).await;
    browser.open(&door.link().await).await;
    browser.wait_for("document.getElementById('live')?.textContent === 'live'").await;
    for ((width, height), dark, name) in [
        (DESK, false, "desk"),
        (DESK, true, "desk-dark"),
        (PHONE, false, "phone"),
        (PHONE, true, "phone-dark"),
    ] {
        browser.size(width, height, dark).await;
        no_sideways_scrolling(&mut browser, name).await;
        nothing_sticks_out(&mut browser, name).await;
        browser.picture(&format!("{pairs}-{name}")).await;
    }
    (door, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_fleet_says_what_to_do_next() {
    let (_door, mut browser) = look(0, fleet::of(0)).await;
    assert!(text(&mut browser, "#headline").await.contains("No pairs yet"));
    let pairs = text(&mut browser, "#pairs").await;
    assert!(pairs.contains("clawops chat") && pairs.contains("clawops provision --count 2"), "{pairs}");
    assert!(text(&mut browser, "#providers").await.contains("hetzner"));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_waits_for_a_person_is_never_pushed_out_by_what_came_after() {
    let mut changes = fleet::of(3);
    changes.extend(all_providers());
    for n in 0..8 {
        for change in fleet::running_provision() {
            let Change::Put(Record::Operation(mut operation)) = change else { continue };
            operation.id = format!("op-000{n}").parse().unwrap();
            operation.created_at = fleet::at(n);
            operation.state = if n == 0 { OperationState::Stuck } else { OperationState::Done };
            changes.push(operation.into());
        }
    }
    let (_door, mut browser) = look(30, changes).await;
    let first = text(&mut browser, "#operations li:first-child").await;
    assert!(first.contains("op-0000") && first.contains("clawops op retry op-0000"), "{first}");
    assert_eq!(browser.value("document.querySelectorAll('#operations li').length").await, 5);
    let providers = text(&mut browser, "#providers").await;
    assert!(providers.contains("incident") && providers.contains("unknown"), "{providers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_arrives_without_a_reload() {
    let mut changes = fleet::of(1);
    changes.extend(fleet::running_provision());
    let (door, mut browser) = look(3, changes).await;
    assert!(text(&mut browser, "#operations").await.contains("op-91c2"));
    assert!(text(&mut browser, "#operations").await.contains("1 ACTIVE"));
    let local = browser.value("document.querySelector('#headline time .local')?.textContent").await;
    assert!(!local.is_null(), "times are shown in the viewer's zone too");

    browser.value("window.loadedOnce = true").await;
    let failed = fleet::instance(1, Role::Primary, InstanceState::Failed);
    door.store.update(|_, tx| tx.put(failed)).await.unwrap();
    browser.wait_for("document.querySelector('#alerts')?.innerText.includes('acct-0001')").await;
    assert!(
        text(&mut browser, "#pairs tbody tr:first-child").await.contains("acct-0001"),
        "trouble stands first"
    );
    assert_eq!(browser.value("window.loadedOnce").await, true);
    assert_eq!(browser.value("document.title").await, "(1) ClawOps fleet", "seen from another tab");
    let link = browser.value("document.querySelector('#alerts a').getAttribute('href')").await;
    assert_eq!(link, "/?q=acct-0001#pairs", "from the trouble to its pair");
    browser.size(DESK.0, DESK.1, false).await;
    browser.picture("3-trouble").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_fleet_is_paged_with_its_trouble_first() {
    let (door, mut browser) = look(847, fleet::of(847)).await;
    browser.size(DESK.0, DESK.1, false).await;
    let headline = text(&mut browser, "#headline").await;
    assert!(headline.contains("847") && headline.contains("1694"), "{headline}");
    assert_eq!(browser.value("document.querySelectorAll('#pairs tbody tr').length").await, 50);
    assert!(text(&mut browser, "#pairs tbody tr:first-child").await.contains("acct-0400"));
    assert!(text(&mut browser, "#pairs").await.contains("1–50 of 847"));

    browser.open(&door.url("/?page=17&q=acct")).await;
    assert_eq!(browser.value("document.querySelectorAll('#pairs tbody tr').length").await, 47);
    browser.open(&door.url("/?q=acct-0600")).await;
    assert_eq!(browser.value("document.querySelectorAll('#pairs tbody tr').length").await, 1);
    assert!(text(&mut browser, "#pairs").await.contains("Only what fits “acct-0600”"));
    browser.open(&door.url("/?q=nonsense")).await;
    assert!(text(&mut browser, "#pairs").await.contains("No pair fits “nonsense”"));
    // Every link and control can be reached and seen with the keyboard.
    browser.open(&door.url("/")).await;
    browser.value("document.getElementById('next').focus()").await;
    assert_eq!(browser.value("getComputedStyle(document.activeElement).outlineStyle").await, "solid");
}

#[tokio::test]
async fn a_stranger_sees_the_sign_in_and_nothing_of_the_fleet() {
    let door = Door::open(fleet::of(3)).await;
    let page = door.http.get(door.url("/")).send().await.unwrap();
    assert_eq!(page.status(), 401);
    let html = page.text().await.unwrap();
    assert!(html.contains("clawops page") && !html.contains("acct-"), "{html}");
    assert_eq!(door.http.get(door.url("/page/events")).send().await.unwrap().status(), 401);

    // A key in the form lets in; a link does so once.
    let strict = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = |key: &str| {
        strict
            .post(door.url("/enter"))
            .body(format!("key={key}"))
            .header("content-type", "application/x-www-form-urlencoded")
    };
    assert_eq!(form("wrong").send().await.unwrap().status(), 401);
    let entered = form("viewer-key").send().await.unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = door.http.get(door.url("/")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("acct-0001"));
    let link = door.link().await;
    assert_eq!(strict.get(&link).send().await.unwrap().status(), 303);
    assert_eq!(strict.get(&link).send().await.unwrap().status(), 401);

    // The cookie opens the page and nothing else.
    let api = door.http.get(door.url("/v1/fleet/status")).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(api.status(), 401);
    let people =
        door.http.post(door.url("/v1/people")).header("cookie", &cookie).body("{}").send().await.unwrap();
    assert_eq!(people.status(), 401);
}

#[tokio::test]
async fn who_sends_no_form_and_no_link_gets_the_sign_in_page() {
    let door = Door::open(Vec::new()).await;
    let answers = [
        door.http.post(door.url("/enter")).body("{}").send().await.unwrap(),
        door.http.post(door.url("/enter")).form(&[("other", "x")]).send().await.unwrap(),
        door.http.get(door.url("/enter?token=a&token=b")).send().await.unwrap(),
    ];
    for answer in answers {
        assert_eq!(answer.status(), 401);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(answer.headers().get("set-cookie").is_none());
    }
}
