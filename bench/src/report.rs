//! What was measured, for people and for programs.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// A figure that the project promises.
pub struct Target {
    pub what: &'static str,
    pub measured: f64,
    pub bound: Bound,
}

/// Which side of the promise is the good one.
#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.measured <= most,
            Bound::AtLeast(least) => self.measured >= least,
        }
    }

    fn wanted(&self) -> String {
        match self.bound {
            Bound::AtMost(most) => format!("at most {}", figure(most)),
            Bound::AtLeast(least) => format!("at least {}", figure(least)),
        }
    }
}

/// One scenario's results.
pub struct Report {
    pub name: &'static str,
    /// What was done, in a sentence or two.
    pub method: String,
    pub machine: Value,
    pub columns: Vec<&'static str>,
    /// A name and one figure per column.
    pub rows: Vec<(String, Vec<f64>)>,
    pub targets: Vec<Target>,
}

impl Report {
    /// Writes `<name>.md` and `<name>.json`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(&self.json())? + "\n";
        for (ending, text) in [("md", self.markdown()), ("json", json)] {
            let file = folder.join(format!("{}.{ending}", self.name));
            std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let row = |(name, figures): &(String, Vec<f64>)| {
            let mut row = Map::new();
            row.insert("row".into(), json!(name));
            for (column, value) in self.columns.iter().zip(figures) {
                row.insert((*column).into(), json!(value));
            }
            Value::Object(row)
        };
        let target = |target: &Target| {
            json!({
                "what": target.what, "measured": target.measured, "wanted": target.wanted(), "met": target.is_met(),
            })
        };
        json!({
            "scenario": self.name,
            "method": self.method,
            "machine": self.machine,
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "targets": self.targets.iter().map(target).collect::<Vec<_>>(),
        })
    }

    /// The page for people.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n", self.name, self.method);
        text.push_str(&format!("| | {} |\n", self.columns.join(" | ")));
        text.push_str(&format!("|---|{}\n", "---:|".repeat(self.columns.len())));
        for (name, figures) in &self.rows {
            let cells: Vec<String> = figures.iter().map(|value| figure(*value)).collect();
            text.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
        }
        text.push_str("\n| target | wanted | measured | |\n|---|---:|---:|---|\n");
        for target in &self.targets {
            let verdict = if target.is_met() { "met" } else { "**missed**" };
            text.push_str(&format!(
                "| {} | {} | {} | {verdict} |\n",
                target.what,
                target.wanted(),
                figure(target.measured)
            ));
        }
        text.push('\n');
        for (name, value) in self.machine.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!("- {}: {value}\n", name.replace('_', " ")));
        }
        text
    }
}

/// As many digits as mean something.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The middle one, or the mean of the two in the middle; 0 of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_do_not_mind_the_order() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median([]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_report_says_which_targets_were_missed() {
        let target = |measured, bound| Target { what: "thing", measured, bound };
        let report = Report {
            name: "example",
            method: "Did it.".into(),
            machine: json!({"cpu": "one", "cores": 2}),
            columns: vec!["requests/s"],
            rows: vec![("round 1".into(), vec![12345.6])],
            targets: vec![target(1.0, Bound::AtMost(2.5)), target(0.4, Bound::AtLeast(0.5))],
        };
        let text = report.markdown();
        assert!(text.contains("| round 1 | 12346 |"), "{text}");
        assert!(text.contains("| thing | at most 2.50 | 1.00 | met |"), "{text}");
        assert!(text.contains("| thing | at least 0.500 | 0.400 | **missed** |"), "{text}");
        assert!(text.contains("- cpu: one\n- cores: 2\n"), "{text}");
        assert_eq!(report.json()["rows"][0]["requests/s"], json!(12345.6));
    }
}
