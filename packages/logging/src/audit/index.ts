export { type AuditLog, type AuditLogOptions, openAuditLog } from './audit-log.ts';
export { observeAudit } from './observe-audit.ts';
export type { AuditEvent, AuditRecord } from './record.ts';
export { type AuditReport, type AuditReportOptions, auditReport, type ControlSummary, type Gap } from './report.ts';
export { type Finding, type Verification, type VerifiedChain, verifyAudit } from './verify.ts';
