/**
 * The keepalived.conf of the demo's hosts, as people have it: comments, mail settings, a check with a weight, PASS. Only
 * router_id and the scripts' directory differ between hosts.
 */

export const VIRTUAL_ADDRESS = '192.168.1.26';

export interface HostScripts {
  /** Exits 0 while the host is healthy. */
  readonly check: string;
  readonly active: string;
  readonly backup: string;
  readonly fault: string;
}

export function keepalivedFile(routerId: string, scripts: HostScripts): string {
  return `! Configuration File for keepalived

global_defs { # global settings
   notification_email {
     oncall@example.com # one address a line
     dba@example.com
   }
   notification_email_from keepalived@example.com
   smtp_server 127.0.0.1 # mail server
   smtp_connect_timeout 30
   router_id ${routerId} # differs on every node
   script_user root
}

 vrrp_script check_pg_alived {
    script "${scripts.check}"  # health check
    interval 1 # seconds between checks
    fall 2 # failures in a row until it counts as failed
    weight -1
}

vrrp_instance VI_1 {
    state BACKUP
    interface em1
    virtual_router_id 10
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass t9rveMP0
    }
      track_script {
        check_pg_alived
     }
    virtual_ipaddress {
        ${VIRTUAL_ADDRESS} # clients use this one
    }
    smtp_alert
    notify_master ${scripts.active}
    notify_backup ${scripts.backup}
    notify_fault ${scripts.fault}
}
`;
}
