const POLL_SECONDS = 2;
const PATIENCE_SECONDS = 30;
const STATES = {
  waiting: "waiting",
  unreadable: "cannot be read",
  running: "running",
  quiet: "quiet",
  finished: "finished",
  failed: "failed",
  interrupted: "interrupted",
  lost: "connection lost",
};

// Parts of the report

function showProgress(report, state) {
  const { step, steps, rate, seconds, seconds_left: left } = report.progress;
  const bar = byId("bar");
  bar.hidden = steps === null;
  if (steps !== null) {
    bar.max = steps;
    bar.value = Math.min(step, steps);
  }
  const running = state === "running" || state === "quiet";
  const parts = [`step ${count.format(step)}${steps === null ? "" : ` of ${count.format(steps)}`}`];
  if (rate !== null && running) parts.push(`${number(rate)} steps/s`);
  if (seconds !== null && seconds >= 1) parts.push(running ? `${duration(seconds)} so far` : `in ${duration(seconds)}`);
  if (left !== null && state === "running") parts.push(`${duration(left)} left`);
  setText(byId("pace"), parts.join(" · "));
}

function findingCard(finding) {
  let card = byId(`finding-${finding.name}`);
  if (!card) {
    card = make("article", { class: "finding", id: `finding-${finding.name}` });
    const why = make("details", {}, make("summary", {}, "Why it matters"), make("p"), make("p", { class: "dim" }));
    card.append(make("h3"), make("p", { class: "dim" }), make("ul"), make("figure"), make("p"), why);
  }
  card.dataset.tone = finding.severity;
  const [title, facts, evidence, figure, remedy, why] = card.children;
  const capital = finding.title[0].toUpperCase() + finding.title.slice(1);
  title.replaceChildren(capital, make("span", { class: "tag" }, finding.severity));
  setText(facts, `${finding.name}, since step ${count.format(finding.since_step)}, confidence ${finding.confidence.toFixed(2)}`);
  evidence.replaceChildren(...finding.evidence.map((says) => make("li", {}, says)));
  const wanted = finding.panel ? chart(`finding ${finding.name}`, finding.panel) : make("figure", { hidden: "" });
  if (wanted !== figure) figure.replaceWith(wanted);
  remedy.replaceChildren(make("strong", {}, "Remedy. "), finding.remedy);
  if (finding.changes) remedy.append(" ", make("code", {}, finding.changes));
  setText(why.children[1], finding.why);
  setText(why.children[2], finding.source);
  return card;
}

function inOrder(parent, elements) {
  const same = elements.length === parent.children.length && elements.every((e, i) => e === parent.children[i]);
  if (!same) parent.replaceChildren(...elements);
}

function showFindings(report, before) {
  const cards = report.findings.map(findingCard);
  inOrder(byId("cards"), cards);
  byId("no-findings").hidden = cards.length > 0;
  setText(byId("no-findings"), report.state === null ? "None so far." : "None.");
  if (!before) return;
  const known = new Map(before.findings.map((finding) => [finding.name, finding.severity]));
  const news = [];
  report.findings.forEach((finding, index) => {
    if (known.get(finding.name) === finding.severity) return;
    cards[index].classList.remove("new");
    void cards[index].offsetWidth; // lets the animation begin again
    cards[index].classList.add("new");
    news.push(`New finding, ${finding.severity}: ${finding.title}, since step ${finding.since_step}.`);
  });
  const left = new Set(report.findings.map((finding) => finding.name));
  for (const finding of before.findings) {
    if (!left.has(finding.name)) news.push(`No longer found: ${finding.title}.`);
  }
  if (news.length) setText(byId("news"), news.join(" "));
}

function showCharts(report) {
  const sections = report.groups.map(({ title, panels }) => {
    const id = `group-${title.toLowerCase()}`;
    const section = byId(id) || make("section", { class: "group", id, "aria-label": title }, make("h2", { class: "unseen" }, title), make("div", { class: "panels" }));
    inOrder(section.lastChild, panels.map((panel) => chart(`${title} ${panel.title}`, { ...panel, group: title })));
    return section;
  });
  inOrder(byId("charts"), sections);
}

const samples = { steps: [], chosen: null };

function showSamples() {
  const { steps, chosen } = samples;
  document.body.classList.toggle("pictured", steps.length > 0);
  byId("samples").hidden = !steps.length;
  if (!steps.length) return;
  const index = chosen === null ? steps.length - 1 : nearest(steps, chosen);
  const step = steps[index];
  const newest = index === steps.length - 1;
  const grid = byId("grid");
  const address = `samples/${step}.png`;
  if (grid.getAttribute("src") !== address) {
    grid.src = address;
    grid.alt = `Generated samples at step ${count.format(step)}`;
  }
  setText(byId("grid-step"), `Step ${count.format(step)}${newest ? ", newest" : ""}`);
  byId("scrub").hidden = steps.length < 2;
  const slider = byId("slider");
  slider.max = steps.length - 1;
  slider.value = index;
  slider.setAttribute("aria-valuetext", `step ${step}, ${index + 1} of ${steps.length}`);
  byId("newest").hidden = newest;
  byId("earlier").disabled = index === 0;
  byId("later").disabled = newest;
}

function choose(index) {
  const { steps } = samples;
  samples.chosen = index >= steps.length - 1 ? null : steps[Math.max(index, 0)];
  showSamples();
}

byId("slider").addEventListener("input", (event) => choose(Number(event.target.value)));
byId("earlier").addEventListener("click", () => choose(Number(byId("slider").value) - 1));
byId("later").addEventListener("click", () => choose(Number(byId("slider").value) + 1));
byId("newest").addEventListener("click", () => choose(Infinity));
byId("grid").addEventListener("load", ({ target }) => {
  target.classList.toggle("enlarged", target.naturalWidth < target.clientWidth * devicePixelRatio);
});
byId("grid").addEventListener("error", ({ target }) => target.removeAttribute("src"));

function showCommand(command) {
  const words = command.split(" ").map((word) => make("span", {}, word));
  if (byId("command").textContent === command) return;
  byId("command").replaceChildren(...words.flatMap((word, index) => (index ? [" ", word] : [word])));
}

function showReport(report, before) {
  byId("judgement").dataset.tone = report.tone;
  setText(byId("verdict"), report.verdict);
  showText(byId("early"), report.early);
  showText(byId("best"), report.best && `Best${report.state ? "" : " so far"}: ${report.best}`);
  byId("change").hidden = !report.command;
  showCommand(report.command || "");
  showFindings(report, before);
  samples.steps = report.pictures;
  showSamples();
  showCharts(report);
  byId("timeline").replaceChildren(
    ...report.timeline.map(([step, what]) => make("tr", {}, make("td", {}, count.format(step)), make("td", {}, what))),
  );
  byId("problems").replaceChildren(...report.problems.map((problem) => make("li", {}, problem)));
}

// The conversation with the server

let version = "";
let report = null;
let shownState = "";

function showState(state, text) {
  document.body.dataset.state = state;
  setText(byId("state-text"), text || STATES[state]);
  byId("lost").hidden = state !== "lost";
  const verdict = report ? report.verdict.split(":")[0] : STATES[state];
  document.title = `${state === "lost" ? "Lost" : verdict} · ${byId("source").textContent}`;
  if (shownState && state !== shownState && state !== "lost") setText(byId("news"), `The run: ${STATES[state]}.`);
  shownState = state;
}

function take(status) {
  setText(byId("source"), status.source);
  const before = report;
  if (status.report) {
    report = JSON.parse(status.report);
    version = status.version;
  } else if (!status.version) {
    report = null;
    version = "";
  }
  const parts = ["judgement", "findings", "more"];
  parts.forEach((id) => { byId(id).hidden = report === null; });
  byId("waiting").hidden = report !== null;
  if (report === null) {
    samples.steps = [];
    samples.chosen = null;
    showSamples();
    byId("charts").replaceChildren();
    byId("problems").replaceChildren();
    byId("bar").hidden = true;
    setText(byId("pace"), "");
    setText(byId("waiting-text"), status.text);
    byId("waiting-hint").hidden = status.state !== "waiting";
    showState(status.state);
    return;
  }
  const quiet = status.quiet_seconds;
  const state = status.state === "running" && quiet !== null ? "quiet" : status.state;
  if (status.report) showReport(report, before);
  showProgress(report, state);
  showState(state, quiet === null ? "" : `no new line for ${duration(quiet)}`);
  if (status.report) drawCharts();
}

async function answer() {
  try {
    const reply = await fetch(`status.json?known=${encodeURIComponent(version)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000),
    });
    return reply.ok ? await reply.json() : null;
  } catch {
    return null;
  }
}

async function follow() {
  const status = await answer();
  setTimeout(follow, POLL_SECONDS * 1000);
  if (status === null) showState("lost");
  else take(status);
}

new ResizeObserver(() => requestAnimationFrame(drawCharts)).observe(document.body);
follow();
