//! Figures of figures, and how they are written.

/// Of some values; the mean of the two in the middle of an even number of them.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// The value that this share of them is below.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len() as f64) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied()
}

/// Three digits at most that say something, and commas between thousands.
pub fn grouped(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        below if below < 0.0995 => format!("{value:.3}"),
        below if below < 0.995 => format!("{value:.2}"),
        below if below < 9.95 => format!("{value:.1}"),
        below if below < 999.5 => format!("{value:.0}"),
        size => {
            let unit = 10_f64.powi(size.log10() as i32 - 2);
            commas((value / unit).round() * unit)
        }
    }
}

fn commas(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
