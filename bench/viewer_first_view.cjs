// Time from opening the page of a slide until the slide is drawn, in Chromium, with an empty file cache.
// Usage: node viewer_first_view.cjs PLAYWRIGHT PROGRAM FOLDER OTHER (Playwright's package, tinctor.dll, folders of a slide and of another one)

const { execSync, spawn } = require('node:child_process');

const [playwright, program, folder, other] = process.argv.slice(2);
const { chromium } = require(playwright);

const isDrawn = () => {
  const canvas = document.querySelector('#first canvas');
  if (!canvas || !document.getElementById('magnification').textContent) return false;
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
  context.drawImage(canvas, -canvas.width / 2, -canvas.height / 2);
  return context.getImageData(0, 0, 1, 1).data[3] === 255;
};

async function open(page, address, slide) {
  const start = Date.now();
  await page.goto(`${address}view?slide=${slide}`);
  await page.waitForFunction(isDrawn, null, { polling: 20 });
  return Date.now() - start;
}

async function measure(page, warm) {
  execSync('sync; echo 3 > /proc/sys/vm/drop_caches');
  const server = spawn('dotnet', [program, 'serve', '--slides', folder, other, '--results', `${folder}-results`, '--port', '0']);
  const address = await new Promise(resolve => server.stdout.on('data', text => resolve(/http\S+/.exec(text)[0])));
  try {
    const { items } = await (await fetch(`${address}api/v1/slides`)).json(), isOther = item => item.width < 10_000;
    if (warm) {
      await open(page, address, items.find(isOther).id);
      await page.goto('about:blank');
      execSync('sync; echo 3 > /proc/sys/vm/drop_caches');
    }
    return await open(page, address, items.find(item => !isOther(item)).id);
  } finally {
    server.kill('SIGKILL');
  }
}

(async () => {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  for (const warm of [false, true]) {
    const times = [];
    for (let i = 0; i < 5; i++) times.push(await measure(page, warm));
    console.log(`first picture ${warm ? 'after another slide was shown' : 'after the start of the server'}: ${times.join(', ')} ms`);
  }
  await browser.close();
})();
