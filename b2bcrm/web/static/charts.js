/* Draws every [data-plot]: plain data in, the look of chart-theme.js out.
   {categories, unit, wrap, series: [{name, kind: bar|line|step|tick, color: token, stack, dashed, data}]};
   wrap shows all categories, on several rows where they are long. */
document.addEventListener("DOMContentLoaded", () => {
  const shape = {
    bar: (s, t) => ({ type: "bar", stack: s.stack, itemStyle: { color: t[s.color] } }),
    line: (s, t) => ({ type: "line", showSymbol: false, lineStyle: { color: t[s.color], type: s.dashed ? "dashed" : "solid" }, itemStyle: { color: t[s.color] } }),
    step: (s, t) => ({ type: "line", step: "middle", showSymbol: false, lineStyle: { color: t[s.color], type: s.dashed ? "dashed" : "solid" }, itemStyle: { color: t[s.color] } }),
    tick: (s, t) => ({ type: "scatter", symbol: "rect", symbolSize: [22, 2], itemStyle: { color: t[s.color] } }),
  };
  document.querySelectorAll("[data-plot]").forEach((element) => {
    const spec = JSON.parse(element.dataset.plot);
    window.plot(`#${element.id}`, (t) => ({
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
      xAxis: { type: "category", data: spec.categories, ...(spec.wrap && { axisLabel: { interval: 0, width: 110, overflow: "break" } }) },
      yAxis: { type: "value", name: spec.unit || "", min: 0 },
      series: spec.series.map((s) => ({ name: s.name, data: s.data, ...shape[s.kind](s, t) })),
    }));
  });
});
