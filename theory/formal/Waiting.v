(** * A waiting worker's power apart from the idle power

    A worker with work draws [P_w + (P_max - P_w) u^gamma], one without work [P_idle], with
    [P_idle <= P_w <= P_max].

    Claims: [energy.wait-power], [energy.wait-raises]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving.
Import ListNotations.
Open Scope R_scope.

(** The same device with [w] for its idle power. *)
Definition waiting (d : device) (w : R) : device := Device w (P_max d) (gamma d).

Definition power_apart (d : device) (w u : R) : R :=
  if Rle_dec u 0 then P_idle d else power (waiting d w) u.

Definition energy_apart (d : device) (w c : R) (r : run) : R :=
  over (fun x => fst x * power_apart d w (snd x)) (cells c r).

(** Worker-time in which no work is resident. *)
Definition empty (c : R) (r : run) : R :=
  over (fun x => fst x * (if Rle_dec (snd x) 0 then 1 else 0)) (cells c r).

Lemma waiting_valid : forall d w, valid d -> P_idle d <= w <= P_max d -> valid (waiting d w).
Proof. intros d w ([P Q] & M & G) H. unfold valid, waiting. simpl. lra. Qed.

(** The energy is that of the device with [P_w] for [P_idle], less [P_w - P_idle] over the
    worker-time without work, and so are all bounds. *)
Theorem energy_wait_power : forall d w c r, valid d -> P_idle d <= w <= P_max d -> 0 <= c ->
  loaded r ->
  let unspent := (w - P_idle d) * empty c r in
  let b := busy c r in let i := idle c r in let dw := waiting d w in
  energy_apart d w c r = energy dw c r - unspent /\
  energy_floor dw b i - unspent <= energy_apart d w c r <= energy_tangent dw b i - unspent /\
  (0 < total c r -> energy_apart d w c r <= envelope dw b i - unspent) /\
  (Forall (fun x => 0 < snd x) (cells c r) -> unspent = 0).
Proof.
  intros d w c r V H C L. cbv zeta. pose proof (waiting_valid d w V H) as Vw.
  pose proof (cells_sound c r C L) as S.
  assert (E : energy_apart d w c r = energy (waiting d w) c r - (w - P_idle d) * empty c r).
  { unfold energy_apart, energy, empty.
    replace (over (fun x => fst x * power (waiting d w) (snd x)) (cells c r) -
      (w - P_idle d) * over (fun x => fst x * (if Rle_dec (snd x) 0 then 1 else 0)) (cells c r))
      with (over (fun x => 1 * (fst x * power (waiting d w) (snd x)) +
        - (w - P_idle d) * (fst x * (if Rle_dec (snd x) 0 then 1 else 0))) (cells c r))
      by (rewrite over_linear; ring).
    apply over_ext. eapply Forall_impl; [|exact S]. intros [x u]. simpl. intros [_ U].
    unfold power_apart. destruct (Rle_dec u 0) as [Z|Z]; [|ring].
    replace u with 0 by lra. unfold power, waiting. simpl. rewrite power_of_0. ring. }
  destruct (energy_sandwich (waiting d w) c r Vw C L) as [B _].
  split; [exact E|]. split; [rewrite E; lra|]. split.
  - intros T. pose proof (energy_below_envelope (waiting d w) c r Vw C L T). rewrite E. lra.
  - intros F. unfold empty.
    replace (over (fun x => fst x * (if Rle_dec (snd x) 0 then 1 else 0)) (cells c r)) with 0;
      [ring|].
    replace 0 with (over (fun x => 0 * fst x + 0 * snd x) (cells c r)) at 1
      by (rewrite over_linear; ring).
    apply over_ext. eapply Forall_impl; [|exact F]. intros [x u]. simpl. intros U.
    destruct (Rle_dec u 0); lra.
Qed.

(** ** [energy.wait-raises] *)

(** [(1 + eta)^(1 - gamma)] lies between 1 and [1 + eta]. *)
Lemma power_of_factor : forall eta g, 0 <= eta -> 0 < g <= 1 ->
  1 <= power_of (1 + eta) (1 - g) <= 1 + eta.
Proof.
  intros eta g H G. rewrite power_of_positive by lra. split.
  - replace 1 with (Rpower (1 + eta) 0) at 1 by (apply Rpower_O; lra).
    destruct H as [H|<-].
    + destruct (Req_dec g 1) as [->|N]; [replace (1 - 1) with 0 by ring; lra|].
      left. apply Rpower_lt; lra.
    + unfold Rpower. rewrite Rplus_0_r, ln_1, !Rmult_0_r. lra.
  - replace (1 + eta) with (Rpower (1 + eta) 1) at 2 by (apply Rpower_1; lra).
    destruct H as [H|<-].
    + left. apply Rpower_lt; lra.
    + unfold Rpower. rewrite Rplus_0_r, ln_1, !Rmult_0_r. lra.
Qed.

(** At perfect balance the floor and both caps do not fall as [P_w] rises; at [P_w = P_max] all
    are the idle share. *)
Theorem energy_wait_raises : forall d w w' eta, valid d -> P_idle d <= w <= w' -> w' <= P_max d ->
  0 <= eta ->
  saving_sharp (waiting d w) eta 0 <= saving_sharp (waiting d w') eta 0 /\
  saving_cap (waiting d w) eta 0 <= saving_cap (waiting d w') eta 0 /\
  saving_cap_tangent (waiting d w) eta 0 <= saving_cap_tangent (waiting d w') eta 0 /\
  saving_sharp (waiting d (P_max d)) eta 0 = eta / (1 + eta) /\
  saving_cap (waiting d (P_max d)) eta 0 = eta / (1 + eta) /\
  saving_cap_tangent (waiting d (P_max d)) eta 0 = eta / (1 + eta).
Proof.
  intros d w w' eta ([P Q] & M & G) H T E.
  unfold saving_sharp, saving_cap, saving_cap_tangent, envelope_per_work, waste, waiting. simpl.
  pose proof (power_of_factor eta (gamma d) E G) as X.
  set (x := power_of (1 + eta) (1 - gamma d)) in *.
  assert (Y : forall a b, 0 < a <= b -> 1 - P_max d / a <= 1 - P_max d / b).
  { intros a b A. assert (P_max d / b <= P_max d / a); [|lra].
    unfold Rdiv. apply Rmult_le_compat_l; [lra|]. apply Rinv_le_contravar; lra. }
  pose proof (Rmult_le_pos w eta ltac:(lra) E). pose proof (Rmult_le_pos w' eta ltac:(lra) E).
  split; [|split; [|split; [|split; [|split]]]].
  - replace ((w * eta - (w + (1 - gamma d) * (P_max d - w)) * 0) / (P_max d + w * eta))
      with (1 - P_max d / (P_max d + w * eta)) by (field; lra).
    replace ((w' * eta - (w' + (1 - gamma d) * (P_max d - w')) * 0) / (P_max d + w' * eta))
      with (1 - P_max d / (P_max d + w' * eta)) by (field; lra).
    apply Y. nra.
  - rewrite !Rmult_0_r, !Rplus_0_r. apply Y. split; nra.
  - rewrite !Rmult_0_r, !Rplus_0_r. apply Y. split.
    + assert (0 <= (w + (1 - gamma d) * (P_max d - w)) * eta) by (apply Rmult_le_pos; nra). lra.
    + apply Rplus_le_compat_l, Rmult_le_compat_r; nra.
  - field. split; nra.
  - rewrite !Rmult_0_r, !Rplus_0_r. field. split; nra.
  - rewrite !Rmult_0_r, !Rplus_0_r. field. split; nra.
Qed.
