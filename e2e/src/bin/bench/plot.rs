//! `docs/growth.svg`: one small panel a series, both axes logarithmic, readable on light and on dark pages.

use std::fmt::Write;

const COLUMNS: usize = 3;
const PANEL: (f64, f64) = (300.0, 190.0);
/// Room inside a panel: left, top, right, bottom.
const ROOM: (f64, f64, f64, f64) = (52.0, 44.0, 14.0, 30.0);

const STYLE: &str = "
  text { font: 11px system-ui, sans-serif; fill: #57606a }
  .name { font-weight: 600; font-size: 12px; fill: #1f2328 }
  .axis { stroke: #d0d7de } .curve { stroke: #0969da; stroke-width: 2; fill: none } .dot { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .name { fill: #f0f6fc }
    .axis { stroke: #3d444d } .curve { stroke: #4493f8 } .dot { fill: #4493f8 }
  }
";

struct Series<'a> {
    name: &'a str,
    unit: &'a str,
    points: Vec<(f64, f64)>,
}

/// The picture of what `docs/growth.csv` holds; lines that are not points are left out.
pub fn svg(csv: &str) -> String {
    let series = read(csv);
    let rows = series.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL.0 * COLUMNS as f64, PANEL.1 * rows as f64);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\
         <title>How costs grow with the number of instances</title><style>{STYLE}</style>\n"
    );
    for (nth, one) in series.iter().enumerate() {
        let (x, y) = ((nth % COLUMNS) as f64 * PANEL.0, (nth / COLUMNS) as f64 * PANEL.1);
        let _ = writeln!(out, "<g transform=\"translate({x} {y})\">{}</g>", panel(one));
    }
    out + "</svg>\n"
}

fn read(csv: &str) -> Vec<Series<'_>> {
    let mut all: Vec<Series<'_>> = Vec::new();
    for (name, unit, point) in csv.lines().filter_map(point) {
        match all.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => all.push(Series { name, unit, points: vec![point] }),
        }
    }
    all.iter_mut().for_each(|series| series.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
    all
}

/// `"series",unit,size,value`; a logarithm has no place for nothing.
fn point(line: &str) -> Option<(&str, &str, (f64, f64))> {
    let (name, rest) = line.strip_prefix('"')?.split_once("\",")?;
    let mut fields = rest.split(',');
    let unit = fields.next()?;
    let point = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (point.0 > 0.0 && point.1 > 0.0).then_some((name, unit, point))
}

fn panel(series: &Series<'_>) -> String {
    let Series { name, unit, points } = series;
    let decades = |value: fn(&(f64, f64)) -> f64| {
        let logs = || points.iter().map(|point| value(point).log10());
        let (low, high) = (logs().fold(f64::MAX, f64::min).floor(), logs().fold(f64::MIN, f64::max).ceil());
        (low, if high > low { high } else { low + 1.0 })
    };
    let (across, up) = (decades(|point| point.0), decades(|point| point.1));
    let (left, top, right, bottom) = (ROOM.0, ROOM.1, PANEL.0 - ROOM.2, PANEL.1 - ROOM.3);
    let x = |value: f64| left + (value.log10() - across.0) / (across.1 - across.0) * (right - left);
    let y = |value: f64| bottom - (value.log10() - up.0) / (up.1 - up.0) * (bottom - top);
    let mut out = format!("<text class=\"name\" x=\"8\" y=\"18\">{}</text>", escaped(name));
    let _ = write!(out, "<text x=\"8\" y=\"33\">{}</text>", escaped(unit));
    for power in up.0 as i32..=up.1 as i32 {
        let at = y(10f64.powi(power));
        let _ = write!(
            out,
            "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 5.0,
            at + 4.0,
            short(10f64.powi(power))
        );
    }
    for power in across.0 as i32..=across.1 as i32 {
        let at = x(10f64.powi(power));
        let text = short(10f64.powi(power));
        let _ = write!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
            bottom + 16.0
        );
    }
    let places: Vec<String> =
        points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
    let _ = write!(out, "<polyline class=\"curve\" points=\"{}\"/>", places.join(" "));
    for (size, value) in points {
        let _ = write!(
            out,
            "<circle class=\"dot\" r=\"3\" cx=\"{:.1}\" cy=\"{:.1}\"><title>{}: {} {}</title></circle>",
            x(*size),
            y(*value),
            short(*size),
            short(*value),
            escaped(unit)
        );
    }
    out
}

fn short(value: f64) -> String {
    match value {
        million if million >= 1e6 => format!("{}M", trimmed(million / 1e6)),
        thousand if thousand >= 1e3 => format!("{}k", trimmed(thousand / 1e3)),
        other => trimmed(other),
    }
}

/// Three digits that count, and no zeros behind them.
fn trimmed(value: f64) -> String {
    let digits = (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_a_curve_from_its_smallest_size_to_its_largest() {
        let csv = "series,unit,size,value\n\"status, p99\",ms,100000,2.5\n\"status, p99\",ms,1000,0.25\n\
                   \"memory <all>\",MiB,1000,40\n";
        let drawn = svg(csv);
        assert_eq!(drawn.matches("<polyline").count(), 2);
        assert_eq!(drawn.matches("<circle").count(), 3);
        assert!(drawn.contains("status, p99") && drawn.contains("memory &lt;all&gt;"));
        let curve = drawn.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let across: Vec<f64> =
            curve.split(' ').map(|place| place.split(',').next().unwrap().parse().unwrap()).collect();
        assert!(across[0] < across[1], "{curve}");
        assert!(drawn.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn what_is_no_point_is_left_out() {
        assert_eq!(svg("series,unit,size,value\nrubbish\n\"a\",s,0,1\n").matches("<polyline").count(), 0);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [short(100_000.0), short(0.01), short(12.345), short(1e6)],
            ["100k", "0.01", "12.3", "1M"]
        );
    }
}
