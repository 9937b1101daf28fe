// What the node tells each second. Begins anew when it ends, and rests while nobody looks.

const PATIENCE_MS = 3500;
const AGAIN_MS = 2000;

export class Stream {
  #source = null;
  #told;
  #lost;
  #silence = 0;
  #again = 0;

  /** `told` is called with the name and the data of each event, `lost` when nothing was heard for a while. */
  constructor(told, lost) {
    this.#told = told;
    this.#lost = lost;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    // A browser keeps a page that was left as it was, and its streams closed.
    window.addEventListener("pageshow", (event) => event.persisted && this.#open());
    this.#open();
  }

  #open() {
    this.#close();
    if (document.hidden) return;
    this.#source = new EventSource("/api/dashboard/events");
    for (const name of ["hello", "tick"]) {
      this.#source.addEventListener(name, (event) => this.#hear(name, event.data));
    }
    // After an answer that is no stream the browser does not try again by itself.
    this.#source.onerror = () => {
      if (this.#source?.readyState === EventSource.CLOSED) this.#openLater();
    };
    this.#listen();
  }

  #hear(name, data) {
    this.#listen();
    this.#told(name, JSON.parse(data));
  }

  /** A node that stands still keeps its connections: silence is what tells. */
  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#lost();
      this.#openLater();
    }, PATIENCE_MS);
  }

  #openLater() {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), AGAIN_MS);
  }

  #close() {
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }
}
