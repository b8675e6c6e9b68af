//! A bar chart as SVG. Shapes only: its words stand beside it as text, its figures in the table of the same page.

use maud::{Markup, html};

use super::text::Text;

/// Runs that a chart shows: the newest.
pub(super) const BARS: usize = 60;

/// Width of the drawing, in its own units; it is stretched to the room there is.
const WIDTH: usize = 600;
/// Height of the drawing.
const HEIGHT: f64 = 100.0;

/// One bar.
pub(super) struct Bar {
    /// Its height, in the chart's own unit. `None`: there is no such figure for this run.
    pub value: Option<f64>,
    /// What it says, for who points at it.
    pub words: String,
    /// Its run failed.
    pub failed: bool,
}

/// A chart: heading, the newest figure, the scale, the bars from old to new.
pub(super) fn chart(title: &str, latest: &str, top: f64, top_words: &str, bars: &[Bar]) -> Markup {
    let step = WIDTH as f64 / BARS as f64;
    let from = BARS.saturating_sub(bars.len());
    let known = bars.iter().filter(|bar| bar.value.is_some()).count();
    let summary = format!(
        "{title}: bars of the last {known} runs, the newest {latest}, the highest possible {top_words}. The figures stand in the table of runs."
    );
    html! {
        figure.chart {
            figcaption { span { (title) } strong { (Text(latest)) } }
            div.plot {
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(summary) focusable="false" {
                    line.rule x1="0" x2=(WIDTH) y1="0.5" y2="0.5" {}
                    line.rule x1="0" x2=(WIDTH) y1="50" y2="50" {}
                    @for (i, bar) in bars.iter().enumerate() {
                        @let x = (from + i) as f64 * step;
                        @let height = bar.value.map_or(0.0, |value| if top > 0.0 { (value / top).clamp(0.0, 1.0) * (HEIGHT - 2.0) } else { 0.0 });
                        // A run whose figure is nothing still stands there.
                        @let shown = if bar.value.is_some() { height.max(1.5) } else { 1.5 };
                        @let class = match (bar.failed, bar.value) { (_, None) => "none", (true, _) => "failed", (false, _) => "done" };
                        rect class=(class) x=(format!("{:.1}", x + step * 0.12)) width=(format!("{:.1}", step * 0.76)) y=(format!("{:.1}", HEIGHT - shown)) height=(format!("{shown:.1}")) {
                            title { (Text(&bar.words)) }
                        }
                    }
                    line.base x1="0" x2=(WIDTH) y1="99.5" y2="99.5" {}
                }
            }
            p.scale { "from 0 to " (Text(top_words)) }
        }
    }
}

/// The next round figure at or above: 1, 2, 5, 10, 20, 50 …
pub(super) fn round_up(value: f64) -> f64 {
    if value <= 1.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|r| *r >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_figures() {
        for (value, top) in
            [(0.0, 1.0), (1.0, 1.0), (1.2, 2.0), (7.0, 10.0), (20.0, 20.0), (999.0, 1000.0), (12_001.0, 20_000.0)]
        {
            assert!((round_up(value) - top).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn no_bar_leaves_the_chart() {
        let bars = [(Some(5.0), false), (None, true), (Some(900.0), true)];
        let bars = bars.map(|(value, failed)| Bar { value, words: "w".into(), failed });
        let svg = chart("Changed", "5", 10.0, "10", &bars).into_string();
        assert_eq!(svg.matches("<rect").count(), 3);
        assert!(svg.contains("height=\"98.0\"") && !svg.contains("NaN") && !svg.contains("y=\"-"), "{svg}");
    }
}
