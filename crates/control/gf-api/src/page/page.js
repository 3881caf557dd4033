(() => {
  const live = document.getElementById("live");
  const zone = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });
  const inUtc = new Date().getTimezoneOffset() === 0;
  const addZone = (root) => root.querySelectorAll("time").forEach((time) => {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) return;
    time.title = at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    if (!inUtc) time.insertAdjacentHTML("beforeend", `<span class="local"> · ${zone.format(at)}</span>`);
  });
  const swap = ({ id, html }) => {
    const old = document.getElementById(id);
    if (!old) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.outerHTML = html;
    const fresh = document.getElementById(id);
    if (fresh) addZone(fresh);
    // Trouble is seen from another tab, too.
    if (fresh?.dataset.title) document.title = fresh.dataset.title;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };
  addZone(document);
  const events = new EventSource("/page/events" + location.search);
  events.onopen = () => { live.textContent = "live"; live.className = "good"; };
  events.onerror = () => { live.textContent = "not connected: what stands here may be old"; live.className = "bad"; };
  events.addEventListener("section", (event) => swap(JSON.parse(event.data)));
})();
