// An application with eureka-js-client, steered by lines on stdin as tests/clients/application.rs tells.
//
// Its own argument comes before the others: `full` to fetch the whole registry each time, `delta` to
// fetch what has changed.
'use strict';

const { Console } = require('node:console');
const readline = require('node:readline');
const { Eureka } = require('eureka-js-client');

const renewalSecs = Number(process.env.RENEWAL_SECS || 1);
const leaseSecs = Number(process.env.LEASE_SECS || 4);

class Application {
  constructor(mode, name, instanceId, vip, urls, metadata) {
    this.byDeltas = mode === 'delta';
    this.client = new Eureka({
      // The library logs to stdout, which is for answers here.
      logger: new Console(process.stderr, process.stderr),
      shouldUseDelta: this.byDeltas,
      eureka: {
        serviceUrls: { default: urls.split(',').map((url) => `${url}apps/`) },
        heartbeatInterval: renewalSecs * 1000,
        registryFetchInterval: 1000,
      },
      instance: {
        instanceId,
        app: name,
        // The library takes instances with the same host name and port for the same one.
        hostName: `${instanceId.replace(/[^a-z0-9]+/gi, '-')}.local`,
        ipAddr: '127.0.0.1',
        port: { $: 8080, '@enabled': true },
        vipAddress: vip,
        secureVipAddress: `${vip}-secure`,
        dataCenterInfo: {
          '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
          name: 'MyOwn',
        },
        leaseInfo: { renewalIntervalInSecs: renewalSecs, durationInSecs: leaseSecs },
        metadata: JSON.parse(metadata),
      },
    });
  }

  start() {
    return called((done) => this.client.start(done));
  }

  see(app) {
    // The library keeps no others than those that are UP.
    return JSON.stringify(this.instances(app).map((instance) => instance.instanceId));
  }

  metadata(app, instanceId) {
    const found = this.instances(app).find((instance) => instance.instanceId === instanceId);
    return JSON.stringify(found.metadata);
  }

  instances(app) {
    const byApp = this.client.getInstancesByAppId(app);
    const byVip = this.client.getInstancesByVipAddress(`${app.toLowerCase()}-vip`);
    // By deltas the library replaces or removes the first instance of its list for an application,
    // whichever has changed or gone. Its lists for VIP addresses are right.
    return this.byDeltas && byVip.length > 0 ? byVip : byApp;
  }

  async stop() {
    try {
      await called((done) => this.client.stop(done));
    } catch (error) {
      // After a 404 an attempt before, which failed, has ended the lease all the same.
      if (!error.message.includes('status: 404')) {
        throw error;
      }
    }
    return 'stopped';
  }
}

function called(call) {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}

async function main() {
  const application = new Application(...process.argv.slice(2));
  await application.start();
  console.log('ready');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...names] = line.split(' ').map(decodeURIComponent);
    let answer;
    try {
      answer = await application[command](...names);
    } catch (error) {
      answer = `failed: ${error}`.replaceAll('\n', ' ');
    }
    console.log(answer);
    if (answer === 'stopped') {
      // Its stdin is still open and would keep it.
      process.exit();
    }
  }
}

main();
