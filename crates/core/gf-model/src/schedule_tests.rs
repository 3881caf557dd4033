//! When reports come, at the edges of days, months and clocks.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next(when: &str, then: &str) -> String {
    when.parse::<When>().unwrap().next_after(at(then)).unwrap().to_string()
}

#[test]
fn each_rhythm_comes_at_its_next_time_and_never_at_the_moment_itself() {
    for (when, then, expected) in [
        ("daily 07:00", "2026-11-21T06:59:59Z", "2026-11-21T07:00:00Z"),
        ("daily 07:00", "2026-11-21T07:00:00Z", "2026-11-22T07:00:00Z"),
        ("next 07:00", "2026-11-21T08:00:00Z", "2026-11-22T07:00:00Z"),
        // The 21st of November 2026 is a Saturday.
        ("weekly monday 08:00", "2026-11-21T08:00:00Z", "2026-11-23T08:00:00Z"),
        ("weekly saturday 08:00", "2026-11-21T07:59:00Z", "2026-11-21T08:00:00Z"),
        ("weekly saturday 08:00", "2026-11-21T08:00:00Z", "2026-11-28T08:00:00Z"),
        ("monthly 1 07:00", "2026-12-01T07:00:00Z", "2027-01-01T07:00:00Z"),
        ("monthly 31 07:00", "2027-01-31T07:00:00Z", "2027-02-28T07:00:00Z"),
        ("monthly 31 07:00", "2028-02-01T07:00:00Z", "2028-02-29T07:00:00Z"),
    ] {
        assert_eq!(next(when, then), expected, "{when} after {then}");
    }
}

#[test]
fn a_zone_keeps_its_own_clock_in_summer_and_winter() {
    assert_eq!(next("daily 07:00 Europe/Berlin", "2026-07-01T00:00:00Z"), "2026-07-01T05:00:00Z");
    assert_eq!(next("daily 07:00 Europe/Berlin", "2026-11-21T00:00:00Z"), "2026-11-21T06:00:00Z");
    // 02:30 does not exist there on the 29th of March 2026; the report still comes that day, once.
    let first = next("daily 02:30 Europe/Berlin", "2026-03-28T12:00:00Z");
    assert_eq!(first, "2026-03-29T01:30:00Z");
    assert_eq!(next("daily 02:30 Europe/Berlin", &first), "2026-03-30T00:30:00Z");
}

#[test]
fn what_was_typed_is_said_back_in_one_form() {
    for (typed, said) in [
        ("Daily 07:00", "daily 07:00"),
        ("weekly MONDAY 08:00 UTC", "weekly monday 08:00"),
        ("once 23:59", "next 23:59"),
        ("monthly 31 00:00 europe/berlin", "monthly 31 00:00 Europe/Berlin"),
    ] {
        let when: When = typed.parse().unwrap();
        assert_eq!(when.to_string(), said);
        assert_eq!(said.parse::<When>().unwrap(), when);
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for bad in [
        "",
        "07:00",
        "daily",
        "daily 7:00",
        "daily 24:00",
        "daily 07:60",
        "daily 7 am",
        "hourly",
        "weekly 07:00",
        "weekly someday 07:00",
        "monthly 0 07:00",
        "monthly 32 07:00",
        "monthly -1 07:00",
        "daily 07:00 Atlantis/City",
        "daily 07:00 UTC now",
        "daily ٠٧:٠٠",
    ] {
        assert!(bad.parse::<When>().is_err(), "{bad:?}");
    }
}

#[test]
fn missed_runs_are_made_up_by_one() {
    let mut schedule = Schedule {
        id: "4e10".parse().unwrap(),
        what: Report::Briefing,
        when: "daily 07:00".parse().unwrap(),
        recipient: Recipient::Operators,
        created_by: Principal::Service("test".into()),
        created_at: at("2026-11-01T00:00:00Z"),
        next_run: at("2026-11-01T07:00:00Z"),
        last_run: None,
    };
    let late = at("2026-11-04T12:00:00Z");
    let after = schedule.after_run(late).unwrap();
    assert_eq!((after.next_run, after.last_run), (at("2026-11-05T07:00:00Z"), Some(late)));
    schedule.when = "next 07:00".parse().unwrap();
    assert_eq!(schedule.after_run(late), None);
}

#[test]
fn every_report_has_a_usual_time_and_a_read() {
    for report in Report::ALL {
        assert!(report.usual().parse::<When>().is_ok());
        assert_eq!(report.name().parse(), Ok(report));
        assert!(report.look_at().starts_with("gf_"));
    }
}
