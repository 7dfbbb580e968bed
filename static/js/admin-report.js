// Draws the figures of the table beside it, in the colours of the office and of light or dark.

const data = JSON.parse(document.getElementById("report-data")?.textContent ?? "null");
let chart;

function draw() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const bars = data.type === "bar";
  const scale = { ticks: { color: colour("--body-fg") }, grid: { color: colour("--hairline-color") } };
  // Nobody places half an order.
  const precision = data.numbers.every(Number.isInteger) ? 0 : undefined;
  const values = { ...scale, ticks: { ...scale.ticks, precision }, beginAtZero: true, title: { display: true, text: data.unit, color: colour("--body-fg") } };
  const labels = {
    ...scale,
    grid: { display: false },
    ticks: {
      ...scale.ticks,
      autoSkip: !bars,
      autoSkipPadding: 16,
      maxRotation: 0,
      callback(value) {
        const label = this.getLabelForValue(value);
        const most = innerWidth < 600 ? 18 : 32;
        return label.length > most ? `${label.slice(0, most - 1)}…` : label;
      },
    },
  };
  chart?.destroy();
  chart = new Chart(document.getElementById("report-chart"), {
    type: data.type,
    data: {
      labels: data.labels,
      datasets: [{
        label: data.unit,
        data: data.numbers,
        backgroundColor: colour(bars ? "--chart-line" : "--chart-fill"),
        borderColor: colour("--chart-line"),
        borderWidth: bars ? 0 : 2,
        fill: true,
        pointRadius: 0,
        pointHitRadius: 8,
        tension: 0.25,
      }],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: bars ? "y" : "x",
      interaction: { mode: "index", intersect: false, axis: bars ? "y" : "x" },
      scales: bars ? { x: values, y: labels } : { x: labels, y: values },
      plugins: { legend: { display: false } },
    },
  });
}

if (data) {
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
