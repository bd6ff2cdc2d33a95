//! Figures of rounds in turn, and their ratios to the floor's.

/// Median, smallest and largest of some figures.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self { median: figures[figures.len() / 2], min: figures[0], max: figures[figures.len() - 1] }
    }
}

/// One contender's figures, a round each.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub name: String,
    pub cpu_ns: Vec<f64>,
    pub calls: Vec<f64>,
    pub waits: Vec<f64>,
}

/// Prints each contender beside the one named in `floors`, the ratios taken round by round.
pub fn print(unit: &str, rows: &[Row], floor_of: impl Fn(&str) -> String) {
    println!(
        "{:28} {:>15} {:>22} {:>15} {:>6} {:>11}",
        "",
        format!("CPU ns/{unit}"),
        "ratio (min - max)",
        format!("calls/{unit}"),
        "ratio",
        format!("{unit}/wait"),
    );
    for row in rows {
        let floor = floor_of(&row.name);
        let floor = rows.iter().find(|other| other.name == floor).unwrap();
        let ratio = |a: &[f64], b: &[f64]| Spread::of(a.iter().zip(b).map(|(a, b)| a / b).collect());
        let cpu = ratio(&row.cpu_ns, &floor.cpu_ns);
        let calls = ratio(&row.calls, &floor.calls);
        println!(
            "{:28} {:>15.0} {:>22} {:>15.4} {:>6.3} {:>11.1}",
            row.name,
            Spread::of(row.cpu_ns.clone()).median,
            format!("{:.3} ({:.3} - {:.3})", cpu.median, cpu.min, cpu.max),
            Spread::of(row.calls.clone()).median,
            calls.median,
            1.0 / Spread::of(row.waits.clone()).median,
        );
    }
}
