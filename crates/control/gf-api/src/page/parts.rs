//! Small pieces that several sections show alike.

use crate::view::{condition::Condition, line, words};
use gf_model::{
    Timestamp,
    instance::{Instance, InstanceState},
};
use maud::{Markup, html};

/// How a state looks: `good`, `busy`, `bad` or `idle`.
pub fn tone(state: InstanceState) -> &'static str {
    use InstanceState::*;
    match state {
        Active => "good",
        Creating | Bootstrapping | StandbyPromoting | Draining => "busy",
        Degraded | Failed => "bad",
        Parked | Stopped | TearingDown | Deleted => "idle",
    }
}

/// A moment in UTC; the script adds the viewer's own zone.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%H:%M:%S")) " UTC" } }
}

/// A moment with its day.
pub fn day_time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%b %d %H:%M:%S")) " UTC" } }
}

/// One half of a pair: state, name, place. One that is missing is trouble only where there should be one.
pub fn half(instance: Option<&Instance>, condition: Condition) -> Markup {
    let Some(instance) = instance else {
        let (tone, said) = match condition {
            Condition::Building => ("busy", "not made yet"),
            Condition::TearingDown | Condition::Parked => ("idle", "none"),
            Condition::Down | Condition::Unprotected | Condition::Protected => ("bad", "missing"),
        };
        return html! { span.half { span class={ "dot " (tone) } aria-hidden="true" {} span class=(tone) { (said) } } };
    };
    let score = line::score(instance);
    html! {
        span.half {
            span class={ "dot " (tone(instance.state)) } aria-hidden="true" {}
            span.id { (instance.id) }
            span class={ "state " (tone(instance.state)) } { (instance.state.name().replace('_', " ").to_lowercase()) }
            @if instance.is_waiting_to_boot() { span.mark title="its machine boots as many as it can at once" { "waits for a place to boot" } }
            @if instance.uncertain { span.mark title="a remote call's answer is not known yet" { "uncertain" } }
            @if let Some(flag) = &instance.flagged { span.mark title=(flag) { "flagged" } }
            span.place { (instance.provider) "/" (instance.region) @if let Some(score) = score { " · " (score) } }
        }
    }
}

/// A card with a heading that names its section.
pub fn card(id: &str, title: &str, note: Option<String>, body: Markup) -> Markup {
    html! {
        section.card id=(id) aria-labelledby={ (id) "-title" } {
            header { h2 id={ (id) "-title" } { (title) } @if let Some(note) = note { span.note { (note) } } }
            (body)
        }
    }
}

/// What stands where there is nothing to show.
pub fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

/// A bar without styles of its own: the policy forbids inline ones.
pub fn bar(done: u64, total: u64, label: &str) -> Markup {
    html! { progress max=(total.max(1)) value=(done) aria-label=(label) {} }
}

pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = words::age(at, now);
    match seconds as u64 {
        0..60 => "under a minute".to_owned(),
        60..3600 => format!("{} min", seconds as u64 / 60),
        3600..172_800 => format!("{} h", seconds as u64 / 3600),
        _ => format!("{} d", seconds as u64 / 86_400),
    }
}
