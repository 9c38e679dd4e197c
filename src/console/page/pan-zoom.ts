const ZOOM_MIN = 0.1;

/** What is to be seen, in the coordinates of what is drawn. */
export type Extent = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
};

export type PanZoomOptions = {
  readonly picture: SVGSVGElement;
  /** What is moved and scaled in it. */
  readonly stage: SVGGElement;
  /** Of the picture's view box. */
  readonly width: number;
  readonly height: number;
  readonly zoomMax: number;
  /** What is to be pressed, and does not move the picture. */
  readonly untouched: string;
  readonly onZoom?: (zoom: number) => void;
};

const ZOOM_STEP = 1.25;

/** Moves a picture by dragging, and scales it by buttons, or by the wheel with the Ctrl key. */
export class PanZoom {
  readonly #options: PanZoomOptions;
  #zoom = 1;
  #panX = 0;
  #panY = 0;

  constructor(options: PanZoomOptions) {
    this.#options = options;
    const { picture } = options;
    picture.addEventListener("wheel", (event) => this.#onWheel(event));
    picture.addEventListener("pointerdown", (event) => this.#onPointerDown(event));
  }

  /** So that all of it is seen, in the middle. */
  fit({ left, right, top, bottom }: Extent, zoomMax: number): void {
    const { width, height } = this.#options;
    this.#zoom = Math.min(width / (right - left), height / (bottom - top), zoomMax);
    this.#panX = (width - (left + right) * this.#zoom) / 2;
    this.#panY = (height - (top + bottom) * this.#zoom) / 2;
    this.#place();
  }

  /** Moves it only as far as it takes to see a place, given in the coordinates of what is drawn. */
  reveal(x: number, y: number): void {
    const { width, height } = this.#options;
    const [atX, atY] = [x * this.#zoom + this.#panX, y * this.#zoom + this.#panY];
    if (atX < 0 || atX > width) this.#panX += width / 2 - atX;
    if (atY < 0 || atY > height) this.#panY += height / 2 - atY;
    this.#place();
  }

  zoomIn(): void {
    this.#zoomAboutMiddle(ZOOM_STEP);
  }

  zoomOut(): void {
    this.#zoomAboutMiddle(1 / ZOOM_STEP);
  }

  #zoomAboutMiddle(factor: number): void {
    const { width, height } = this.#options;
    this.#zoomBy(factor, width / 2, height / 2);
  }

  /** About a point of the picture, which stays where it is. */
  #zoomBy(factor: number, x: number, y: number): void {
    const zoom = Math.min(this.#options.zoomMax, Math.max(ZOOM_MIN, this.#zoom * factor));
    const change = zoom / this.#zoom;
    this.#panX = x - (x - this.#panX) * change;
    this.#panY = y - (y - this.#panY) * change;
    this.#zoom = zoom;
    this.#place();
  }

  #place(): void {
    const { stage, onZoom } = this.#options;
    stage.setAttribute("transform", `translate(${this.#panX},${this.#panY}) scale(${this.#zoom})`);
    onZoom?.(this.#zoom);
  }

  /** Of the picture's coordinates to a pixel. */
  #scale(): number {
    return this.#options.width / Math.max(1, this.#options.picture.clientWidth);
  }

  /** Only with the Ctrl key, as maps do: or who scrolls the page is caught here. */
  #onWheel(event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const { left, top } = this.#options.picture.getBoundingClientRect();
    const scale = this.#scale();
    this.#zoomBy(
      event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP,
      (event.clientX - left) * scale,
      (event.clientY - top) * scale,
    );
  }

  #onPointerDown(down: PointerEvent): void {
    const { picture, untouched } = this.#options;
    if ((down.target as Element).closest(untouched) !== null) return;
    const [startX, startY] = [this.#panX, this.#panY];
    const scale = this.#scale();
    const move = (event: PointerEvent): void => {
      this.#panX = startX + (event.clientX - down.clientX) * scale;
      this.#panY = startY + (event.clientY - down.clientY) * scale;
      this.#place();
    };
    picture.addEventListener("pointermove", move);
    const end = (): void => picture.removeEventListener("pointermove", move);
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }
}
